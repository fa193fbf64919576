"""How far a batch that was not finished may have told runs, and when a run was moved.

Its SQL stands beside it in `0045_told_up_to.sql`.
"""

from pathlib import Path

import sqlalchemy
from alembic import op

revision = "0045"
down_revision = "0044"


def upgrade() -> None:
    """Make the columns."""
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.execute(sqlalchemy.text(sql.replace(":", "\\:")))
