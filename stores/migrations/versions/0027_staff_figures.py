"""What was decided and what happened lately is found by an index.

Its SQL stands beside it in `0027_staff_figures.sql`.
"""

from pathlib import Path

import sqlalchemy
from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    """Make the indexes of suggestions and figures."""
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.execute(sqlalchemy.text(sql.replace(":", "\\:")))
