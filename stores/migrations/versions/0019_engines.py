"""Which processes are at work, and which engines each knows: an engine is raised when all know it.

Its SQL stands beside it in `0019_engines.sql`.
"""

from pathlib import Path

import sqlalchemy
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Add the table."""
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.execute(sqlalchemy.text(sql.replace(":", "\\:")))
