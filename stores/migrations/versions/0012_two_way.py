"""Two ways: why nobody was told of a message, and finding what an address wrote and was sent.

Its SQL stands beside it in `0012_two_way.sql`.
"""

from pathlib import Path

import sqlalchemy
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add the column and the indexes."""
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.execute(sqlalchemy.text(sql.replace(":", "\\:")))
