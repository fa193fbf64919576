"""The moment: what is suggested and what became of it, what customers feel, problems and whom they touch.

Its SQL stands beside it in `0016_in_the_moment.sql`.
"""

from pathlib import Path

import sqlalchemy
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Add the tables and columns."""
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.execute(sqlalchemy.text(sql.replace(":", "\\:")))
