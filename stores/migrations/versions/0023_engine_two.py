"""A new installation begins with engine 2; one with runs or processes at work is raised by hand.

Its SQL stands beside it in `0023_engine_two.sql`.
"""

from pathlib import Path

import sqlalchemy
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Let new runs get engine 2 where nobody could be disturbed by it."""
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.execute(sqlalchemy.text(sql.replace(":", "\\:")))
