"""Customers are searched for by where they stand and what is known of them, and searches are kept with their files.

Its SQL stands beside it in `0037_search.sql`.
"""

from pathlib import Path

import sqlalchemy
from alembic import op

revision = "0037"
down_revision = "0036"


def upgrade() -> None:
    """Make the indexes of searches, the table of those that are kept, and that of their files."""
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.execute(sqlalchemy.text(sql.replace(":", "\\:")))
