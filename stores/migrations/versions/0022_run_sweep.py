"""How far the look for runs that ended outside of Clew has come.

Its SQL stands beside it in `0022_run_sweep.sql`.
"""

from pathlib import Path

import sqlalchemy
from alembic import op

revision = "0022"
down_revision = "0020"


def upgrade() -> None:
    """Add the table with its row."""
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.execute(sqlalchemy.text(sql.replace(":", "\\:")))
