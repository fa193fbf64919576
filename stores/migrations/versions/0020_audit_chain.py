"""The audit is chained and append-only; write keys and tokens of staff have scopes, roles and an end.

Its SQL stands beside it in `0020_audit_chain.sql`.
"""

from pathlib import Path

import sqlalchemy
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Add the columns, the chain and its guards, and chain what is there already."""
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.execute(sqlalchemy.text(sql.replace(":", "\\:")))
