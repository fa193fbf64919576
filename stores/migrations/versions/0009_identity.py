"""How two customers become one and are parted again; groups; types of traits, and traits that are computed.

Its SQL stands beside it in `0009_identity.sql`.
"""

from pathlib import Path

import sqlalchemy
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the tables and columns."""
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.execute(sqlalchemy.text(sql.replace(":", "\\:")))
