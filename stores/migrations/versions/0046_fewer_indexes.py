"""What is written most is written with fewer indexes.

Its SQL stands beside it in `0046_fewer_indexes.sql`.
"""

from pathlib import Path

import sqlalchemy
from alembic import op

revision = "0046"
down_revision = "0045"


def upgrade() -> None:
    """Drop them."""
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.execute(sqlalchemy.text(sql.replace(":", "\\:")))
