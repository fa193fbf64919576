"""The run that is to wake first is found without reading all that are open.

Its SQL stands beside it in `0049_runs_that_wake.sql`.
"""

from pathlib import Path

import sqlalchemy
from alembic import op

revision = "0049"
down_revision = "0048"


def upgrade() -> None:
    """Make the index."""
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.execute(sqlalchemy.text(sql.replace(":", "\\:")))
