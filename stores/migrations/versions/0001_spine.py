"""The spine: customers, touchpoints, routing, definitions, runs, deliveries, cases.

Its SQL stands beside it in `0001_spine.sql`.
"""

from pathlib import Path

import sqlalchemy
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the first tables."""
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.execute(sqlalchemy.text(sql.replace(":", "\\:")))
