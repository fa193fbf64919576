"""What ingest refused, with the reason, for people to look at."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from stores.database import Connection, Pool, clean_text, jsonb, one_statement

LONGEST = 4_000
"""Characters kept of a refused message."""


@dataclass(slots=True, frozen=True, kw_only=True)
class RefusedTouchpoint:
    """One message that was not taken: from whom, why, and how it began."""

    source: str
    reason: str
    message: str
    message_id: str | None = None
    received_at: datetime | None = None


async def park(connection: Connection, refused: Sequence[RefusedTouchpoint]) -> None:
    """Keep refused messages, in the caller's transaction."""
    if not refused:
        return
    rows = [
        {
            "source": one.source,
            "reason": one.reason,
            "message": one.message[:LONGEST],
            "message_id": one.message_id[:200] if one.message_id else None,
        }
        for one in refused
    ]
    await connection.execute(
        "insert into refused_touchpoints (source, message_id, reason, message)"
        " select source, message_id, reason, message from jsonb_to_recordset(%s)"
        " as r(source text, message_id text, reason text, message text)",
        [jsonb(rows)],
    )


def as_text(message: Any) -> str:
    """Any message as text that PostgreSQL takes, also one that is no valid JSON."""
    try:
        return clean_text(json.dumps(message, ensure_ascii=True, default=str))[:LONGEST]
    except RecursionError:
        return "(too deep to be shown)"


class RefusedTouchpointStore:
    """The newest refusals."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def newest(self, most: int = 100) -> list[RefusedTouchpoint]:
        """The newest refused messages first."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                "select source, reason, message, message_id, received_at"
                " from refused_touchpoints order by refused desc limit %s",
                [most],
            )
            return [RefusedTouchpoint(**row) for row in await cursor.fetchall()]
