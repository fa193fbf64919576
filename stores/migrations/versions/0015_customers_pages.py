"""Customers ask for a person on their own pages: cases without a run.

Its SQL stands beside it in `0015_customers_pages.sql`.
"""

from pathlib import Path

import sqlalchemy
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Add the sequence and the column."""
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.execute(sqlalchemy.text(sql.replace(":", "\\:")))
