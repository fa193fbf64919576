"""What happened to cases, read for the figures of staff: of queues, of members, of places, and what to automate."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, LiteralString

from journey.business_time import BusinessCalendar
from journey.presence import Presence
from journey.queues import QueuesFile, queue_calendar
from journey.staff_figures import (
    Happened,
    HourOfDay,
    WorkedCase,
    WorkFigures,
    load_over_the_day,
    member_figures,
    place_figures,
    queue_figures,
)
from journey.worked_before import Automatable, automatable
from stores.case_minding import queue_of
from stores.case_outcomes import past_decisions
from stores.database import Connection, Pool, one_statement
from stores.house import HouseStore
from stores.members import Member, working_members

MOST_EVENTS = 500_000
"""So many events are read at the most, the newest; `cut` says where there were more."""

# All of a case of which something happened since, so that lengths that began before are whole.
_HAPPENED: LiteralString = """
with lately as (
    select distinct e."case" from case_events e join cases c using ("case")
     where e.at >= %(since)s and (%(queue)s::text is null or c.queue = %(queue)s
           or c.escalations @> jsonb_build_array(jsonb_build_object('from', %(queue)s::text)))
    union
    select "case" from cases
     where under_way and (%(queue)s::text is null or queue = %(queue)s)
)
select c."case", c.queue, c.place, coalesce(nullif(c.journey, ''), nullif(c.title, ''), c.queue) as service,
       e.at, e.who, e.did, e.why, e.detail
  from lately join cases c using ("case") join case_events e using ("case")
 order by e.event desc limit %(most)s
"""

_ABSENT: LiteralString = """
select member, since, until from absences where member = any(%s) and until > %s order by since
"""


@dataclass(slots=True, frozen=True, kw_only=True)
class PlaceFigures:
    """The figures of one service at one place."""

    service: str
    place: str
    figures: WorkFigures


@dataclass(slots=True, frozen=True, kw_only=True)
class StaffFigures:
    """How work goes since when. `cut`: there was more than was read."""

    since: datetime
    until: datetime
    queues: Mapping[str, WorkFigures]
    members: Mapping[str, WorkFigures]
    places: Sequence[PlaceFigures]
    load: Mapping[str, Sequence[HourOfDay]]
    automatable: Sequence[Automatable]
    cut: bool


class StaffFiguresStore:
    """Reads the figures."""

    def __init__(self, pool: Pool, house: HouseStore | None = None) -> None:
        self._pool = pool
        self._house = house or HouseStore(pool)

    async def figures(
        self, since: datetime, now: datetime, queue: str | None = None
    ) -> StaffFigures:
        """How work went from `since` to `now`, of one queue where it is given. Both are run time."""
        house = (await self._house.house()).queues
        async with one_statement(self._pool) as connection:
            values = {"since": since, "queue": queue, "most": MOST_EVENTS}
            rows = await (await connection.execute(_HAPPENED, values)).fetchall()
            members = await working_members(connection)
            away = await _absences(connection, [each.member for each in members], since)
            cases = _cases(rows)
            named = sorted({each.queue for each in cases} | ({queue} if queue else set()))
            told = [
                automatable(each, await past_decisions(connection, house, each), now)
                for each in named
            ]

        @cache
        def calendars(name: str) -> BusinessCalendar:
            return queue_calendar(queue_of(house, name))

        queues = queue_figures(cases, calendars, since, now)
        return StaffFigures(
            since=since,
            until=now,
            queues={name: each for name, each in sorted(queues.items()) if queue in (None, name)},
            members=dict(sorted(member_figures(cases, calendars, since, now).items())),
            places=[
                PlaceFigures(service=service, place=place, figures=each)
                for (service, place), each in sorted(
                    place_figures(cases, calendars, since, now).items()
                )
            ],
            load={
                name: load_over_the_day(
                    [each for each in cases if each.queue == name],
                    calendars(name),
                    _Room(house, name, members, away).at,
                    since,
                    now,
                )
                for name in named
            },
            automatable=[each for each in told if each is not None],
            cut=len(rows) == MOST_EVENTS,
        )


class _Room:
    """For how many cases there is room in a queue at an instant: what whoever is at work then can have."""

    def __init__(
        self,
        house: QueuesFile | None,
        queue: str,
        members: Sequence[Member],
        away: Mapping[str, Sequence[tuple[datetime, datetime]]],
    ) -> None:
        of = queue_of(house, queue)
        self._there: list[tuple[Presence, int]] = [
            (each.presence(of, away.get(each.member, ())), each.capacity)
            for each in members
            if queue in each.queues
        ]

    def at(self, moment: datetime) -> int:
        """The room at this instant."""
        return sum(room for presence, room in self._there if presence.is_there(moment))


async def _absences(
    connection: Connection, members: Sequence[str], since: datetime
) -> Mapping[str, list[tuple[datetime, datetime]]]:
    cursor = await connection.execute(_ABSENT, [list(members), since])
    found: dict[str, list[tuple[datetime, datetime]]] = defaultdict(list)
    for row in await cursor.fetchall():
        found[row["member"]].append((row["since"], row["until"]))
    return found


def _cases(rows: Sequence[Mapping[str, Any]]) -> list[WorkedCase]:
    """The rows are of the newest first; a case has them in order."""
    of: dict[str, list[Happened]] = defaultdict(list)
    heads: dict[str, Mapping[str, Any]] = {}
    for row in reversed(rows):
        heads[row["case"]] = row
        of[row["case"]].append(
            Happened(
                at=row["at"], who=row["who"], did=row["did"], why=row["why"], detail=row["detail"]
            )
        )
    return [
        WorkedCase(
            case=case,
            queue=head["queue"],
            service=head["service"],
            place=head["place"],
            happened=of[case],
        )
        for case, head in heads.items()
    ]
