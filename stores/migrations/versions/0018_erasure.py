"""Erasure: how far each is and its proof, ids that never come back, addresses that get nothing more.

Its SQL stands beside it in `0018_erasure.sql`.
"""

from pathlib import Path

import sqlalchemy
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Add the tables."""
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.execute(sqlalchemy.text(sql.replace(":", "\\:")))
