"""Where customers stand and which ways they go is counted as their runs advance.

Its SQL stands beside it in `0035_journey_figures.sql`.
"""

from pathlib import Path

import sqlalchemy
from alembic import op

revision = "0035"
down_revision = "0032"


def upgrade() -> None:
    """Make the figures, the triggers that keep them, and count what is there."""
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.execute(sqlalchemy.text(sql.replace(":", "\\:")))
