"""Staff answer from where they are: what Slack sent already, and mails to members of staff.

Its SQL stands beside it in `0030_staff_mail.sql`.
"""

from pathlib import Path

import sqlalchemy
from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    """Make what answers by Slack and by mail need."""
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.execute(sqlalchemy.text(sql.replace(":", "\\:")))
