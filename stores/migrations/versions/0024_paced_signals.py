"""A customer's runs are told at a pace that Temporal bears: how far ahead of it a unit of routing is."""

from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Add the moment until which a unit's signals are spread."""
    op.execute("alter table routing_units add column paced_until timestamptz")
