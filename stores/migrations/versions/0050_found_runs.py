"""Each execution that an erasure deletes is counted once.

Its SQL stands beside it in `0050_found_runs.sql`.
"""

from pathlib import Path

import sqlalchemy
from alembic import op

revision = "0050"
down_revision = "0049"


def upgrade() -> None:
    """Add the column."""
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.execute(sqlalchemy.text(sql.replace(":", "\\:")))
