"""Promises, as somebody looks at them: how many were kept in time, late or not at all, and who waits for one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, LiteralString, get_args

from stores.database import Pool, rows_of

MOST_PROMISES = 100_000
"""So many promises are counted at the most, those that were due last; of those waited for, those due first."""

MOST_PEOPLE = 50

Standing = Literal["overdue", "open", "kept", "kept_late", "broken", "dropped"]
"""Overdue: its time has passed, and it may still be kept. Broken: the run ended without it."""

STANDINGS: tuple[Standing, ...] = get_args(Standing)

_STANDING: LiteralString = """
case when state = 'late' or (state = 'open' and by < %(now)s) then 'overdue' else state end
"""

# Each time apart, so that each has its own bound.
_DUE: LiteralString = (
    """
select p.later, coalesce(r.journey, '') as journey, p.name, p.standing, count(*) as n
  from ((select true as later, entry, name,"""
    + _STANDING
    + """ as standing from promises
          where by >= %(since)s and by < %(now)s order by by desc limit %(most)s)
        union all
        (select false, entry, name,"""
    + _STANDING
    + """ from promises
          where by >= %(before)s and by < %(since)s order by by desc limit %(most)s)) p
  left join runs r using (entry)
 group by 1, 2, 3, 4
"""
)

_WAITED_FOR: LiteralString = (
    """
select true as later, coalesce(r.journey, '') as journey, p.name, p.standing, count(*) as n
  from (select entry, name,"""
    + _STANDING
    + """ as standing from promises where state in ('open', 'late')
         order by by, entry, n limit %(most)s) p
  left join runs r using (entry)
 group by 2, 3, 4
"""
)

_SHOWN: LiteralString = """
select p.entry, p.n, p.name, p.by, p.state, p.at, p.reason, r.customer, r.journey
  from (select entry, n, name, by, state, at, reason from promises where
"""

_OF_RUN: LiteralString = """
) p join runs r using (entry)
 where (%(journey)s::text is null or r.journey = %(journey)s)
   and (%(name)s::text is null or p.name = %(name)s)
"""

_LONGEST_FIRST: LiteralString = " order by by, entry, n limit %(looked)s"
_NEWEST_FIRST: LiteralString = " order by by desc, entry desc, n desc limit %(looked)s"
_SETTLED: LiteralString = (
    " and by >= %(since)s and by < %(now)s"
    " and (%(by)s::timestamptz is null or (by, entry, n) < (%(by)s, %(entry)s, %(n)s))"
)
_AFTER: LiteralString = (
    " and (%(by)s::timestamptz is null or (by, entry, n) > (%(by)s, %(entry)s, %(n)s))"
)
_CHOSEN: Mapping[Standing, LiteralString] = {
    "overdue": "state in ('open', 'late') and by < %(now)s" + _AFTER + _LONGEST_FIRST,
    "open": "state in ('open', 'late') and by >= %(now)s" + _AFTER + _LONGEST_FIRST,
    "kept": "state = 'kept'" + _SETTLED + _NEWEST_FIRST,
    "kept_late": "state = 'kept_late'" + _SETTLED + _NEWEST_FIRST,
    "broken": "state = 'broken'" + _SETTLED + _NEWEST_FIRST,
    "dropped": "state = 'dropped'" + _SETTLED + _NEWEST_FIRST,
}


@dataclass(slots=True, frozen=True, kw_only=True)
class CountedPromises:
    """So many promises of this name in a journey ('' where its run is gone) stand so.

    `later`: due in the time that is looked at, else in the one before; of those waited for always true.
    """

    later: bool
    journey: str
    name: str
    standing: Standing
    n: int


@dataclass(slots=True, frozen=True, kw_only=True)
class PromiseTo:
    """A promise and whom it was made to. `by`: until when; `at`: when it came to stand so. Run time."""

    entry: int
    n: int
    name: str
    by: datetime
    state: str
    at: datetime
    reason: str
    customer: str
    journey: str

    @property
    def place(self) -> "Place":
        """Where it stands in the list, to leaf on from."""
        return Place(by=self.by, entry=self.entry, n=self.n)


@dataclass(slots=True, frozen=True, kw_only=True)
class Place:
    """A promise's place in the order of a list."""

    by: datetime
    entry: int
    n: int


class PromiseLooks:
    """Reads promises, each time so many at the most. All times are run time. Changes nothing."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def due(
        self, before: datetime, since: datetime, now: datetime, most: int = MOST_PROMISES
    ) -> list[CountedPromises]:
        """How those stand that were due from `since` to `now`, and from `before` to `since`; those due last."""
        asked = {"before": before, "since": since, "now": now, "most": most}
        return [CountedPromises(**row) for row in await rows_of(self._pool, _DUE, asked)]

    async def waited_for(self, now: datetime, most: int = MOST_PROMISES) -> list[CountedPromises]:
        """Those that are overdue or open now, whenever they were made; those due first."""
        asked = {"now": now, "most": most}
        return [CountedPromises(**row) for row in await rows_of(self._pool, _WAITED_FOR, asked)]

    async def who(
        self,
        standing: Standing,
        since: datetime,
        now: datetime,
        *,
        journey: str | None = None,
        name: str | None = None,
        after: Place | None = None,
        most: int = MOST_PEOPLE,
    ) -> list[PromiseTo]:
        """Whose promises stand so: who waits longest first; of those that are settled, due since then, the newest.

        Of one journey or one name: among `MOST_PROMISES` of them. What has no time by which to keep it is not there.
        """
        chosen = journey is not None or name is not None
        asked = {
            "since": since, "now": now, "journey": journey, "name": name, "most": most,
            "looked": MOST_PROMISES if chosen else most, "by": after.by if after else None,
            "entry": after.entry if after else None, "n": after.n if after else None,
        }  # fmt: skip
        order: LiteralString = (
            " order by p.by, p.entry, p.n limit %(most)s"
            if standing in ("overdue", "open")
            else " order by p.by desc, p.entry desc, p.n desc limit %(most)s"
        )
        rows = await rows_of(self._pool, _SHOWN + _CHOSEN[standing] + _OF_RUN + order, asked)
        return [PromiseTo(**row) for row in rows]
