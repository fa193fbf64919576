"""Hooks: programs outside that are told what happens to cases.

Its SQL stands beside it in `0026_case_hooks.sql`.
"""

from pathlib import Path

import sqlalchemy
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Make what hooks need."""
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.execute(sqlalchemy.text(sql.replace(":", "\\:")))
