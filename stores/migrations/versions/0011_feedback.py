"""What providers report: a complaint about marketing closes an address for marketing alone.

Its SQL stands beside it in `0011_feedback.sql`.
"""

from pathlib import Path

import sqlalchemy
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add the column."""
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.execute(sqlalchemy.text(sql.replace(":", "\\:")))
