"""Cases are shown at desks outside of ours.

Its SQL stands beside it in `0031_outside_desks.sql`.
"""

from pathlib import Path

import sqlalchemy
from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    """Make what desks outside need."""
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.execute(sqlalchemy.text(sql.replace(":", "\\:")))
