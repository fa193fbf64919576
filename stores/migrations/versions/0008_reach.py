"""How customers are reached: consents, preferences, devices, conversations, stops.

Its SQL stands beside it in `0008_reach.sql`.
"""

from pathlib import Path

import sqlalchemy
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the tables and columns."""
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.execute(sqlalchemy.text(sql.replace(":", "\\:")))
