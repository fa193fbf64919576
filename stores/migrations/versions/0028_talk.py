"""Talk: what staff write to customers from a case, with undo, files and an answer that finds its case.

Its SQL stands beside it in `0028_talk.sql`.
"""

from pathlib import Path

import sqlalchemy
from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    """Make what messages of cases need."""
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.execute(sqlalchemy.text(sql.replace(":", "\\:")))
