"""Links of messages that are counted.

Its SQL stands beside it in `0014_messages.sql`.
"""

from pathlib import Path

import sqlalchemy
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add the tables and columns."""
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.execute(sqlalchemy.text(sql.replace(":", "\\:")))
