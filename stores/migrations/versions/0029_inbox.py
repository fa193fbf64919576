"""The inbox: who of staff is signed in, when a case is due, what a member keeps for themselves.

Its SQL stands beside it in `0029_inbox.sql`.
"""

from pathlib import Path

import sqlalchemy
from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    """Make what the inbox needs."""
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.execute(sqlalchemy.text(sql.replace(":", "\\:")))
