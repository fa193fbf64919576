"""Who did what to what, and when: written once, chained to the deed before, and never changed."""

import hashlib
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from pydantic import JsonValue

from stores.database import Connection, Pool, clean_text, jsonb


@dataclass(slots=True, frozen=True, kw_only=True)
class Origin:
    """Where an order comes from: as whom it was proved, from which address, in which request."""

    actor: str = ""
    ip: str = ""
    request: str = ""


_origin: ContextVar[Origin] = ContextVar("origin", default=Origin())  # noqa: B039 -- it is frozen


@contextmanager
def acting(origin: Origin) -> Generator[None]:
    """Whatever is written down meanwhile came from there."""
    token = _origin.set(origin)
    try:
        yield
    finally:
        _origin.reset(token)


@dataclass(slots=True, frozen=True, kw_only=True)
class Deed:
    """One thing that a person or a program did."""

    at: datetime
    who: str
    did: str
    what: str
    detail: dict[str, JsonValue]
    actor: str = ""
    ip: str = ""
    request: str = ""
    before: str = ""
    after: str = ""
    erased_at: datetime | None = None


class AuditStore:
    """What was done, for ever."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def record(
        self,
        who: str,
        did: str,
        what: str,
        detail: Mapping[str, JsonValue] | None = None,
        *,
        before: object = None,
        after: object = None,
    ) -> None:
        """Write down one deed."""
        async with self._pool.connection() as connection:
            await record_deed(connection, who, did, what, detail, before=before, after=after)

    async def latest(
        self, *, what: str | None = None, who: str | None = None, most: int = 100
    ) -> list[Deed]:
        """The newest deeds first, of one thing or one person where it is given."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                """
                select at, who, did, object as what, detail, actor, ip, request, before, after,
                       erased_at
                  from audit
                 where (%(what)s::text is null or object = %(what)s)
                   and (%(who)s::text is null or who = %(who)s or actor = %(who)s)
                 order by audit desc limit %(most)s
                """,
                {"what": what, "who": who, "most": most},
            )
            return [Deed(**row) for row in await cursor.fetchall()]


async def record_deed(
    connection: Connection,
    who: str,
    did: str,
    what: str,
    detail: Mapping[str, JsonValue] | None = None,
    *,
    before: object = None,
    after: object = None,
) -> None:
    """Write down one deed in the transaction that does it.

    Of `before` and `after`, the thing as it was and as it is, only a digest is kept. The chain is
    locked from the commit on, not before: what comes behind this in a transaction holds up nobody.
    """
    origin = _origin.get()
    await connection.execute(
        """
        insert into audit (who, did, object, detail, actor, ip, request, before, after)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        [
            *(clean_text(who), clean_text(did), clean_text(what), jsonb(dict(detail or {}))),
            *(clean_text(origin.actor), clean_text(origin.ip), clean_text(origin.request)),
            *(digest_of(before), digest_of(after)),
        ],
    )


def digest_of(value: object) -> str:
    """SHA-256 of a value as JSON, whatever the order of its fields; '' of nothing."""
    if value is None:
        return ""
    written = orjson.dumps(
        value, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS, default=_text
    )
    return hashlib.sha256(written).hexdigest()


def _text(value: Any) -> str:
    return str(value)
