"""Counted links: where each leads, and a click as a touchpoint."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from pydantic import JsonValue

from activities.counted_links import CountedLink
from contracts.ids import message_id
from journey.message_events import CLICKED
from stores.database import Connection, Pool
from stores.touchpoints import store_touchpoint

_KEEP = """
insert into short_links (token, delivery, customer, url)
select t, d, c, u from unnest(%s::text[], %s::text[], %s::text[], %s::text[]) as given(t, d, c, u)
on conflict (token) do nothing
"""

_CLICKED = """
select l.delivery, l.customer, l.url, d.message, d.channel, d.journey, d.entry,
       (select workflow_id from runs r where r.entry = d.entry) as run
from short_links l left join deliveries d on d.key = l.delivery where l.token = %s
"""

# What providers say of clicks stands here too: whoever weighs channels reads one table.
_FEEDBACK = """
insert into delivery_feedback (event_id, delivery, customer, channel, kind, detail, at)
values (%(event)s, %(delivery)s, %(customer)s, %(channel)s, 'clicked', %(url)s, %(at)s)
on conflict (event_id) do nothing
"""


def _wall_clock() -> datetime:
    return datetime.now(UTC)


class ShortLinkStore:
    """Keeps counted links (`activities.counted_links.CountedLinkStore`). `ring` wakes the routers."""

    def __init__(
        self,
        pool: Pool,
        ring: Callable[[], None] | None = None,
        wall_clock: Callable[[], datetime] = _wall_clock,
    ) -> None:
        self._pool, self._ring, self._wall_clock = pool, ring or (lambda: None), wall_clock

    async def keep(self, links: Sequence[CountedLink]) -> None:
        """Keep them in one statement; those kept before stay."""
        columns = (
            [link.token for link in links],
            [link.delivery for link in links],
            [link.customer for link in links],
            [link.url for link in links],
        )
        async with self._pool.connection() as connection:
            await connection.execute(_KEEP, columns)

    async def leads_to(self, token: str) -> str | None:
        """The address behind a token, or None."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "select url from short_links where token = %s", [token]
            )
            row = await cursor.fetchone()
        return row["url"] if row else None

    async def clicked(self, token: str) -> str | None:
        """The address behind a token, its click counted: once a minute. None: there is no such link."""
        at = self._wall_clock()
        async with self._pool.connection() as connection, connection.transaction():
            row = await (await connection.execute(_CLICKED, [token])).fetchone()
            if row is None:
                return None
            event = message_id("click", f"{token} {at:%Y-%m-%dT%H:%M}")
            said: dict[str, JsonValue] = {
                name: row[name] for name in ("delivery", "message", "channel", "journey", "run")
            }
            counted = await _count(
                connection, event, row["customer"], {**said, "url": row["url"]}, at
            )
        if counted:
            self._ring()
        return row["url"]


async def _count(
    connection: Connection,
    event: str,
    customer: str,
    said: dict[str, JsonValue],
    at: datetime,
) -> bool:
    stored = await store_touchpoint(
        connection,
        customer=customer,
        subject=None,
        message_id=event,
        event=CLICKED,
        occurred_at=at,
        properties=said,
        context={},
    )
    if stored is None:
        return False
    if said["channel"] is not None:
        row = {"event": event, "customer": customer, "at": at, **said}
        await connection.execute(_FEEDBACK, row)
    return True
