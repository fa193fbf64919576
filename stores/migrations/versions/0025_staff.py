"""Staff: cases that keep their own time, members, absences.

Its SQL stands beside it in `0025_staff.sql`.
"""

from pathlib import Path

import sqlalchemy
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    """Make what cases and staff need."""
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.execute(sqlalchemy.text(sql.replace(":", "\\:")))
