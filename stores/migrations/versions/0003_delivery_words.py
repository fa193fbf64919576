"""Deliveries say in words why, and count the attempts that ended without a word.

Its SQL stands beside it in `0003_delivery_words.sql`.
"""

from pathlib import Path

import sqlalchemy
from alembic import op

revision = "0003"
down_revision = "0001"


def upgrade() -> None:
    """Add to the ledger."""
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.execute(sqlalchemy.text(sql.replace(":", "\\:")))
