"""What is counted of a customer's rows before they go, so that sums stay true without whose they were."""

from typing import Any, LiteralString

from pydantic import JsonValue

from stores.database import Connection
from stores.erased_rows import Sought

_FIGURES: dict[str, LiteralString] = {
    "runs": "select journey || '/' || state || coalesce('/' || outcome, '') as what, count(*) as n"
    " from runs where customer = any(%(ids)s) group by 1",
    "messages": "select journey || '/' || purpose || '/' || state as what, count(*) as n"
    " from deliveries where customer = any(%(ids)s) group by 1",
    "cases": "select queue || coalesce('/' || decision, '') as what, count(*) as n"
    " from cases where customer = any(%(ids)s) group by 1",
    "answers": "select survey || '/' || answer_group as what, count(*) as n"
    " from answers where customer = any(%(ids)s) group by 1",
}
"""By names of ours alone: journeys, outcomes, queues, decisions, surveys."""


async def figures_of(connection: Connection, sought: Sought) -> dict[str, JsonValue]:
    """Counts by kind of thing and what it was."""
    found: dict[str, JsonValue] = {}
    for kind, statement in _FIGURES.items():
        values: dict[str, Any] = sought.values()
        cursor = await connection.execute(statement, values)
        counts: dict[str, JsonValue] = {row["what"]: row["n"] for row in await cursor.fetchall()}
        if counts:
            found[kind] = counts
    return found
