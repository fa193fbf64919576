"""Scenarios are kept with the version published with them, and a search that fails is tried again and holds up no other.

Its SQL stands beside it in `0047_kept_scenarios_failed_searches.sql`.
"""

from pathlib import Path

import sqlalchemy
from alembic import op

revision = "0047"
down_revision = "0046"


def upgrade() -> None:
    """Make the table, and add the columns."""
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.execute(sqlalchemy.text(sql.replace(":", "\\:")))
