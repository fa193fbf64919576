"""What running processes need of the tables' owner is done by functions of the owner.

Its SQL stands beside it in `0036_lesser_role.sql`.
"""

from pathlib import Path

import sqlalchemy
from alembic import op

revision = "0036"
down_revision = "0035"


def upgrade() -> None:
    """Let the owner's functions make partitions and forge the audit's chain."""
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.execute(sqlalchemy.text(sql.replace(":", "\\:")))
