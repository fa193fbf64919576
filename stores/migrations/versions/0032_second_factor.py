"""Staff prove who they are twice, and see where they are signed in.

Its SQL stands beside it in `0032_second_factor.sql`.
"""

from pathlib import Path

import sqlalchemy
from alembic import op

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    """Make what a second factor needs, and say more of a session."""
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.execute(sqlalchemy.text(sql.replace(":", "\\:")))
