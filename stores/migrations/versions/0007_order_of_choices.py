"""Surveys keep the order of their choices.

Its SQL stands beside it in `0007_order_of_choices.sql`.
"""

from pathlib import Path

import sqlalchemy
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Keep the order of what is published."""
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.execute(sqlalchemy.text(sql.replace(":", "\\:")))
