"""What delivery processes tell of their channels, tests of channels that staff ask for, and when a write key was used.

Its SQL stands beside it in `0044_settings.sql`.
"""

from pathlib import Path

import sqlalchemy
from alembic import op

revision = "0044"
down_revision = "0043"


def upgrade() -> None:
    """Make the tables."""
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.execute(sqlalchemy.text(sql.replace(":", "\\:")))
