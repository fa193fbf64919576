"""Ingest and routing: what is refused, partitions for any month, runs that are just starting.

Its SQL stands beside it in `0004_ingest_and_routing.sql`.
"""

from pathlib import Path

import sqlalchemy
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add what ingest and routing keep."""
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.execute(sqlalchemy.text(sql.replace(":", "\\:")))
