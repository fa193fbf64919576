"""All who wait at a step can be nudged, and new installations begin with the engine that lets them.

Its SQL stands beside it in `0048_nudged.sql`.
"""

from pathlib import Path

import sqlalchemy
from alembic import op

revision = "0048"
down_revision = "0047"


def upgrade() -> None:
    """Let acts be of one more kind; what was ordered stays as it is."""
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.execute(sqlalchemy.text(sql.replace(":", "\\:")))
