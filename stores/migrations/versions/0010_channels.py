"""The inbox inside a business's own app.

Its SQL stands beside it in `0010_channels.sql`.
"""

from pathlib import Path

import sqlalchemy
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add the tables and columns."""
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.execute(sqlalchemy.text(sql.replace(":", "\\:")))
