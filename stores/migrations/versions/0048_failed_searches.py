"""A kept search whose file could not be made is tried again, and holds up no other.

Its SQL stands beside it in `0048_failed_searches.sql`.
"""

from pathlib import Path

import sqlalchemy
from alembic import op

revision = "0048"
down_revision = "0047"


def upgrade() -> None:
    """Add the columns."""
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.execute(sqlalchemy.text(sql.replace(":", "\\:")))
