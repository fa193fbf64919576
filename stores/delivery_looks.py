"""What was told to customers in a stretch of time, and what came of it: counted, and one by one.

A message counts in the stretch in which its run asked for it first, whenever it left and whatever was reported since.
However many there are, no more than `MOST_COUNTED` are read, the newest, and no longer than `PATIENCE`.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, LiteralString, get_args

from psycopg.errors import QueryCanceled

from journey.delivery_policy import Refusal
from stores.database import Connection, Pool, clean_text
from stores.run_search import hasten

PATIENCE = timedelta(seconds=5)
"""So long a page waits for what it shows; the database is asked for no more than that."""

MOST_COUNTED = 1_000_000
"""So many messages are counted, the newest; it takes about two seconds."""

MOST_REPORTED = 200_000
"""Of so many, the newest, what was reported is counted: each is looked for by itself, in about a second."""

MOST_DELIVERIES = 100
_AT_ONCE = 3
"""Looks of one process at once: whoever runs journeys does not take the connections of those who send."""

OURS: tuple[str, ...] = get_args(Refusal)
"""Reasons for which we send nothing ourselves; what is refused for another has failed."""

Fate = Literal[
    "asked", "sent", "not_sent", "waiting", "failed", "unknown",
    "delivered", "opened", "clicked", "replied", "bounced", "complained", "unsubscribed",
]  # fmt: skip
"""What may become of a message: first what the ledger says, then what was reported."""

REPORTED: tuple[Fate, ...] = (
    "delivered", "opened", "clicked", "replied", "bounced", "complained", "unsubscribed",
)  # fmt: skip

_STATES: dict[str, list[str]] = {
    "sent": ["accepted"],
    "not_sent": ["refused"],
    "failed": ["refused"],
    "unknown": ["unknown"],
    "waiting": ["deferred", "intended"],
}

# Machines look at mails and follow links before people do (stores/feedback.py writes it down so).
_HEARD: LiteralString = """
    case f.kind when 'delivered' then 1 when 'opened' then 2 when 'clicked' then 4 when 'replied' then 8
                when 'bounced' then 16 when 'complained' then 32 when 'unsubscribed' then 64 end
"""
_OF_PEOPLE: LiteralString = (
    "not (f.kind in ('opened', 'clicked') and starts_with(f.detail, 'by a machine'))"
)

_KIND: LiteralString = """
       coalesce(channel, '') as channel, message, state, reason, date_bin(%(step)s, asked_at, %(since)s) as at,
       count(*) as n, min(asked_at) as oldest
"""
_NEWEST: LiteralString = """
  from deliveries where asked_at >= %(since)s and asked_at < %(until)s order by asked_at desc, entry desc, n desc
"""

# The newest with what was reported of each, which the index of reports has; those behind them without.
_COUNTED: LiteralString = f"""
with newest as (
    select {_KIND}, true as looked_for, coalesce(heard, 0) as heard
      from (select key, channel, message, state, reason, asked_at {_NEWEST} limit %(reported)s) d
      left join lateral (select bit_or({_HEARD}) as heard from delivery_feedback f
                          where f.delivery = d.key and {_OF_PEOPLE}) told on true
     group by 1, 2, 3, 4, 5, heard
), earlier as (
    select {_KIND}, false as looked_for, 0 as heard
      from (select channel, message, state, reason, asked_at {_NEWEST} limit %(earlier)s offset %(reported)s) d
     group by 1, 2, 3, 4, 5
)
select * from newest union all select * from earlier
"""

_LISTED: LiteralString = f"""
select d.entry, d.n, d.asked_at, d.customer, d.journey, d.message, coalesce(d.channel, '') as channel,
       d.state, d.reason, d.words, d.deferred_until,
       array(select f.kind from delivery_feedback f where f.delivery = d.key and {_OF_PEOPLE}
              group by f.kind order by min(f.at), f.kind) as heard
  from deliveries d
 where d.asked_at >= %(since)s and d.asked_at < %(until)s
   and (%(states)s::text[] is null or d.state = any(%(states)s))
   and (%(ours)s::boolean is null or (d.reason = any(%(refusals)s)) = %(ours)s)
   and (%(reason)s::text is null or d.reason = %(reason)s)
   and (%(channel)s::text is null or coalesce(d.channel, '') = %(channel)s)
   and (%(message)s::text is null or d.message = %(message)s)
   and (%(journey)s::text is null or d.journey = %(journey)s)
   and (%(kind)s::text is null or exists (
        select from delivery_feedback f where f.delivery = d.key and f.kind = %(kind)s and {_OF_PEOPLE}))
   and (%(before)s::timestamptz is null or (d.asked_at, d.entry, d.n) < (%(before)s, %(entry)s, %(n)s))
 order by d.asked_at desc, d.entry desc, d.n desc limit %(most)s
"""


def fate_of(state: str, reason: str) -> Fate:
    """What became of a message in this state, for this reason."""
    match state:
        case "accepted":
            return "sent"
        case "refused":
            return "not_sent" if reason in OURS else "failed"
        case "unknown":
            return "unknown"
        case _:
            return "waiting"


class TooMuchToReadError(Exception):
    """More than can be read in `PATIENCE`. A shorter stretch of time can be."""


@dataclass(slots=True, frozen=True, kw_only=True)
class CountedDeliveries:
    """So many messages of one kind that were asked for in one step of time, and what became of them.

    `channel` is empty where none was chosen. `at`: when the step begins; `oldest`: when the first of them was asked
    for. `heard`: of `REPORTED`, by people as far as anybody can tell; nothing where it was not `looked_for`.
    """

    channel: str
    message: str
    state: str
    reason: str
    at: datetime
    heard: frozenset[Fate]
    n: int
    oldest: datetime
    looked_for: bool

    @property
    def fate(self) -> Fate:
        """What the ledger says became of them."""
        return fate_of(self.state, self.reason)


@dataclass(slots=True, frozen=True, kw_only=True)
class Counted:
    """What was counted.

    `since`: only from then on, for there are more; `reported_since`: the same of what was reported.
    """

    kinds: list[CountedDeliveries]
    since: datetime | None
    reported_since: datetime | None


@dataclass(slots=True, frozen=True, kw_only=True)
class Delivery:
    """One message, the `n`th effect of its run, and what became of it.

    Times are run time; `heard`: what was reported, in its order.
    """

    entry: int
    n: int
    asked_at: datetime
    customer: str
    journey: str
    message: str
    channel: str
    state: str
    reason: str
    words: str
    deferred_until: datetime | None
    heard: list[str]

    @property
    def fate(self) -> Fate:
        """What the ledger says became of it."""
        return fate_of(self.state, self.reason)


@dataclass(slots=True, frozen=True, kw_only=True)
class WhichDeliveries:
    """Messages that were asked for from `since` until before `until`. None is any; `channel` empty: none was chosen.

    `before`: only those behind this one (when, entry, n), which stood last on the page before.
    """

    since: datetime
    until: datetime
    fate: Fate = "asked"
    channel: str | None = None
    message: str | None = None
    journey: str | None = None
    reason: str | None = None
    before: tuple[datetime, int, int] | None = None


@dataclass(slots=True, kw_only=True)
class DeliveryLooks:
    """Reads the ledger and what was reported; changes nothing. No statement takes longer than `patience`."""

    pool: Pool
    patience: timedelta = PATIENCE
    most_counted: int = MOST_COUNTED
    most_reported: int = MOST_REPORTED
    _turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    async def counted(self, since: datetime, until: datetime, step: timedelta) -> Counted:
        """What was asked for, the newest, by steps of time from `since` on. Raises: `TooMuchToReadError`."""
        asked = {
            "since": since,
            "until": until,
            "step": step,
            "reported": self.most_reported,
            "earlier": max(0, self.most_counted - self.most_reported),
        }
        async with self._looking() as connection:
            await connection.execute("select set_config('work_mem', '32MB', true)")
            rows = await (await connection.execute(_COUNTED, asked, prepare=False)).fetchall()
        kinds = [CountedDeliveries(heard=_heard(row.pop("heard")), **row) for row in rows]
        cut = sum(each.n for each in kinds) >= self.most_counted
        unheard = any(not each.looked_for for each in kinds)
        return Counted(
            kinds=kinds,
            since=min(each.oldest for each in kinds) if cut else None,
            reported_since=min((each.oldest for each in kinds if each.looked_for), default=until)
            if unheard
            else None,
        )

    async def listed(self, which: WhichDeliveries, most: int = MOST_DELIVERIES) -> list[Delivery]:
        """The messages themselves, who was asked for last first. Raises: `TooMuchToReadError`."""
        before, entry, n = which.before or (None, None, None)
        asked: dict[str, Any] = {
            "since": which.since,
            "until": which.until,
            "states": _STATES.get(which.fate),
            "ours": {"not_sent": True, "failed": False}.get(which.fate),
            "refusals": list(OURS),
            "reason": _clean(which.reason),
            "channel": _clean(which.channel),
            "message": _clean(which.message),
            "journey": _clean(which.journey),
            "kind": which.fate if which.fate in REPORTED else None,
            "before": before,
            "entry": entry,
            "n": n,
            "most": most,
        }
        async with self._looking() as connection:
            rows = await (await connection.execute(_LISTED, asked, prepare=False)).fetchall()
        return [Delivery(**row) for row in rows]

    @asynccontextmanager
    async def _looking(self) -> AsyncGenerator[Connection]:
        async with self._turns, self.pool.connection() as connection:
            try:
                await hasten(connection, self.patience.total_seconds())
                yield connection
            except QueryCanceled:
                raise TooMuchToReadError(TooMuchToReadError.__doc__) from None


def _heard(bits: int) -> frozenset[Fate]:
    return frozenset(kind for place, kind in enumerate(REPORTED) if bits & (1 << place))


def _clean(text: str | None) -> str | None:
    return None if text is None else clean_text(text)
