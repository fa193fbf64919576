"""Scenarios are kept with the version that was published with them.

Its SQL stands beside it in `0047_kept_scenarios.sql`.
"""

from pathlib import Path

import sqlalchemy
from alembic import op

revision = "0047"
down_revision = "0046"


def upgrade() -> None:
    """Make the table."""
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.execute(sqlalchemy.text(sql.replace(":", "\\:")))
