"""Cases keep the clock of their run.

Its SQL stands beside it in `0005_case_clock.sql`.
"""

from pathlib import Path

import sqlalchemy
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the column."""
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.execute(sqlalchemy.text(sql.replace(":", "\\:")))
