"""What caps, priorities, rates and stops need to know of a delivery.

Its SQL stands beside it in `0013_delivery_policy.sql`.
"""

from pathlib import Path

import sqlalchemy
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add the tables and columns."""
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.execute(sqlalchemy.text(sql.replace(":", "\\:")))
