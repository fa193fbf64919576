"""Acts on all who wait at a step: what was ordered, and what became of each run.

Its SQL stands beside it in `0038_bulk_acts.sql`.
"""

from pathlib import Path

import sqlalchemy
from alembic import op

revision = "0038"
down_revision = "0037"


def upgrade() -> None:
    """Make the tables."""
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.execute(sqlalchemy.text(sql.replace(":", "\\:")))
