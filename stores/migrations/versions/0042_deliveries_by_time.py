"""What was asked for in a stretch of time is found without reading the whole ledger.

Its SQL stands beside it in `0042_deliveries_by_time.sql`.
"""

from pathlib import Path

import sqlalchemy
from alembic import op

revision = "0042"
down_revision = "0041"


def upgrade() -> None:
    """Make the index."""
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.execute(sqlalchemy.text(sql.replace(":", "\\:")))
