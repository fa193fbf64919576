"""Traits computed from touchpoints, kept in the transaction that stores each of them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import JsonValue

from stores.database import Connection


async def compute_again(connection: Connection, customers: Sequence[str]) -> None:
    """Compute from the touchpoints themselves."""
    del connection, customers
