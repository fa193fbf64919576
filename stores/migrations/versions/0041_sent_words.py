"""What a customer read stands beside the record of its sending."""

from alembic import op

revision = "0041"
down_revision = "0038"


def upgrade() -> None:
    """Add two columns; of what was sent before, nothing is known."""
    op.execute("alter table deliveries add column sent_subject text, add column sent_text text")
