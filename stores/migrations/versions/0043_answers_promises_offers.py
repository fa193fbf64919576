"""Answers, promises and coupons are counted over a stretch of time, and read by what they are.

Its SQL stands beside it in `0043_answers_promises_offers.sql`.
"""

from pathlib import Path

import sqlalchemy
from alembic import op

revision = "0043"
down_revision = "0042"


def upgrade() -> None:
    """Make the indexes; nothing that is there changes."""
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.execute(sqlalchemy.text(sql.replace(":", "\\:")))
