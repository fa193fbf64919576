"""The keys that seal history, one and more for each customer, wrapped.

Its SQL stands beside it in `0017_history_keys.sql`.
"""

from pathlib import Path

import sqlalchemy
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Add the table."""
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.execute(sqlalchemy.text(sql.replace(":", "\\:")))
