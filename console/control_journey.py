"""A journey as its customers go through it: the map with live figures, what stands out, and who stands at a step."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from starlette.responses import Response

from console.control_door import control_page, instant_of, number_of
from console.control_live import Shared
from console.control_reads import Definitions, Programs
from console.inbox_door import CONTROL, InboxDoor, RefusedPageError, Visit
from contracts.journey_figures import Counted, InStage, Standing
from insight.friction import Friction, frictions
from insight.graph_parts import JourneyGraph
from insight.graph_svg import Linked, svg_of
from insight.journey_graph import journey_graph
from insight.measured_graph import (
    Here,
    Measured,
    friction_in_words,
    length_in_words,
    measured_graph,
    standing_here,
    ways_noted,
)
from insight.step_figures import step_figures
from journey.program import Program
from stores.control_looks import MOST_PEOPLE, Person
from stores.definitions import PublishedDefinition

SPANS: dict[str, tuple[str, timedelta]] = {
    "1d": ("a day", timedelta(days=1)),
    "7d": ("a week", timedelta(days=7)),
    "28d": ("four weeks", timedelta(days=28)),
    "91d": ("a quarter", timedelta(days=91)),
    "10y": ("ever", timedelta(days=3_653)),
}
PAST_SPANS = 4
"""What is compared with goes back so many times as far."""

MOST_BACK = timedelta(days=10_000)


class Figures(Protocol):
    """Where figures are read; `stores.figure_looks` says what each guarantees."""

    async def counted(
        self, journey: str, since: datetime, until: datetime, version: str | None = None
    ) -> list[Counted]: ...
    async def stands(self, journey: str, version: str | None = None) -> list[Standing]: ...
    async def stood(
        self, journey: str, at: datetime, version: str | None = None
    ) -> dict[str, int]: ...
    async def in_stages(self, journey: str | None = None) -> list[InStage]: ...
    async def began(self, journey: str) -> datetime | None: ...


class People(Protocol):
    """Who stands where; `stores.control_looks` says what it guarantees."""

    async def people(
        self,
        journey: str,
        *,
        address: str | None = None,
        stage: str | None = None,
        version: str | None = None,
        stuck: bool = False,
        before: int | None = None,
        most: int = MOST_PEOPLE,
    ) -> list[Person]: ...


@dataclass(slots=True, frozen=True, kw_only=True)
class Asked:
    """What somebody asked to see. `version`: these runs alone; `against`: compared with this version."""

    journey: str
    span: str
    version: str | None
    against: str | None
    then: datetime | None

    def query(self, **other: str | None) -> str:
        """The same with something else."""
        parts = {
            "since": self.span,
            "version": self.version,
            "against": self.against,
            "then": self.then.isoformat(timespec="minutes") if self.then else None,
            **other,
        }
        return urlencode({name: value for name, value in parts.items() if value})


@dataclass(slots=True, frozen=True, kw_only=True)
class JourneyPage:
    """The pages of one journey. `run_now`: the time of runs."""

    door: InboxDoor
    figures: Figures
    people: People
    definitions: Definitions
    programs: Programs
    shared: Shared
    run_now: Callable[[], datetime]

    async def show(self, visit: Visit) -> Response:
        """`?since=7d&version=…&against=…&then=2026-11-20T09:00`."""
        versions, asked = await self._asked(visit)
        values = await self.shared.once(asked, asked.journey, lambda: self._values(versions, asked))
        return control_page(self.door, visit, "control-journey.html", values)

    async def _values(
        self, versions: Sequence[PublishedDefinition], asked: Asked
    ) -> dict[str, Any]:
        live = await self.definitions.live(asked.journey)
        drawn = asked.version or live or versions[0].version
        program = await self.programs.program(drawn)
        assert program is not None, "a version that was published is there"
        now = self.run_now()
        began = await self.figures.began(asked.journey) or now
        seen = await self._seen(program, asked, now)
        graph = measured_graph(journey_graph(program), seen.measured)
        stages = await self.figures.in_stages(asked.journey)
        chosen = [each for each in stages if asked.version in (None, each.version)]
        running = sum(each.n for each in chosen)
        untold = running - sum(
            here.n for name, here in seen.measured.here.items() if name in program.stages
        )
        return {
            "asked": asked,
            "spans": {name: words for name, (words, _) in SPANS.items()},
            "title": program.definition.title,
            "owner": program.definition.owner,
            "live": live,
            "drawn": drawn,
            "versions": [
                {
                    "version": each.version,
                    "name": each.version[:12],
                    "at": each.published_at,
                    "source": each.source_name,
                    "running": sum(s.n for s in stages if s.version == each.version),
                }
                for each in versions
            ],
            "running": running,
            "untold": untold if asked.then is None else 0,
            "map": svg_of(graph, Linked(style=False, link=self._links(asked, graph))),
            "frictions": [_told(each, graph) for each in seen.frictions],
            "outcomes": seen.outcomes,
            "entered": seen.entered,
            "now": now,
            "earliest": began,
            "hours_back": _hours_back(began, now),
            "then_back": _hours_back(asked.then, now) if asked.then else 0,
        }

    async def who(self, visit: Visit) -> Response:
        """Who stands at a step: `?at=offer/2`; who needs people: `?stuck=yes`; `&before=` an entry, to leaf on."""
        versions, asked = await self._asked(visit)
        query = visit.request.query_params
        address, before = query.get("at") or None, query.get("before", "")
        program = await self.programs.program(
            asked.version or await self.definitions.live(asked.journey) or versions[0].version
        )
        assert program is not None, "a version that was published is there"
        stage = address.split("/")[0] if address else None
        stuck = query.get("stuck") == "yes"
        people = await self.people.people(
            asked.journey,
            address=address,
            stage=stage if stage in program.stages else None,
            version=asked.version,
            stuck=stuck,
            before=number_of(before),
        )
        node = journey_graph(program).nodes.get(address or "")
        now = self.run_now()
        values: dict[str, Any] = {
            "asked": asked,
            "title": program.definition.title,
            "address": address,
            "step": node.words[0] if node else address,
            "stuck": stuck,
            "people": [
                {"person": each, "stands": _ago(each.since or each.entered_at, now)}
                for each in people
            ],
            "more": _more(asked, address, people, stuck=stuck),
        }
        return control_page(self.door, visit, "control-people.html", values)

    async def _asked(self, visit: Visit) -> tuple[list[PublishedDefinition], Asked]:
        journey, query = visit.request.path_params["journey"], visit.request.query_params
        versions = await self.definitions.versions(journey)
        if not versions:
            raise RefusedPageError(404, "There is no such journey.")
        known = {each.version for each in versions}
        span = query.get("since", "7d")
        return versions, Asked(
            journey=journey,
            span=span if span in SPANS else "7d",
            version=_one_of(query.get("version"), known),
            against=_one_of(query.get("against"), known),
            then=_moment(query.get("then", ""), self.run_now()),
        )

    async def _seen(self, program: Program, asked: Asked, now: datetime) -> "_Seen":
        end = (asked.then or now) + timedelta(hours=1)
        length = SPANS[asked.span][1]
        since = end - length
        counted = await self.figures.counted(asked.journey, since, end, asked.version)
        if asked.against is not None:
            other = await self.figures.counted(asked.journey, since, end, asked.against)
        else:
            begins = since - min(length * PAST_SPANS, MOST_BACK)
            other = await self.figures.counted(asked.journey, begins, since, asked.version)
        steps = step_figures(counted, program)
        found = frictions(steps, step_figures(other, program), _siblings(journey_graph(program)))
        if asked.then is None:
            here = standing_here(await self.figures.stands(asked.journey, asked.version), now)
        else:
            stood = await self.figures.stood(asked.journey, asked.then, asked.version)
            here = {address: Here(n=n) for address, n in stood.items()}
        measured = Measured(
            steps=steps, ways=ways_noted(counted), here=here, frictions=_by_address(found)
        )
        return _Seen(measured, found, counted)

    def _links(self, asked: Asked, graph: JourneyGraph) -> Callable[[str], str | None]:
        def link(address: str) -> str | None:
            node = graph.nodes.get(address)
            if node is None or not node.figures:
                return None
            return f"{CONTROL}/journey/{quote(asked.journey, safe='')}/people?{asked.query(at=address)}"

        return link


class _Seen:
    """What there is to see."""

    def __init__(
        self, measured: Measured, found: Sequence[Friction], counted: Sequence[Counted]
    ) -> None:
        self.measured, self.frictions = measured, found
        ended = {each.way: each.n for each in counted if (each.address, each.kind) == ("", "ended")}
        goals = {each.way for each in counted if (each.address, each.kind) == ("", "goal")}
        total = sum(ended.values()) or 1
        self.outcomes = [
            {"outcome": name, "n": n, "share": n / total, "goal": name in goals}
            for name, n in sorted(ended.items(), key=lambda each: (-each[1], each[0]))
        ]
        self.entered = measured.ways["", "entered", ""]


def _siblings(graph: JourneyGraph) -> dict[str, list[str]]:
    """The first steps of the other ways on from the same step."""
    found: dict[str, list[str]] = {}
    for node in graph.nodes.values():
        firsts = [way.steps[0] for way in node.ways if way.steps and way.noted]
        for first in firsts:
            others = [each for each in firsts if each != first]
            if others:
                found[first] = others
    return found


def _by_address(found: Sequence[Friction]) -> Mapping[str, list[Friction]]:
    by_address: dict[str, list[Friction]] = {}
    for each in found:
        by_address.setdefault(each.address, []).append(each)
    return by_address


def _told(friction: Friction, graph: JourneyGraph) -> dict[str, str]:
    node, stage = graph.nodes.get(friction.address), graph.stages.get(friction.address)
    where = node.words[0] if node else stage.title if stage else friction.address
    return {"where": where, "address": friction.address, "words": friction_in_words(friction)}


def _one_of(name: str | None, known: set[str]) -> str | None:
    return name if name in known else None


def _moment(text: str, now: datetime) -> datetime | None:
    """An instant of the past; None where it is none."""
    at = instant_of(text)
    return at if at is not None and now - MOST_BACK < at < now else None


def _hours_back(at: datetime, now: datetime) -> int:
    return max(1, int((now - at).total_seconds() // 3_600))


def _ago(at: datetime, now: datetime) -> str:
    return length_in_words(max(0.0, (now - at).total_seconds()))


def _more(
    asked: Asked, address: str | None, people: Sequence[Person], *, stuck: bool
) -> str | None:
    if len(people) < MOST_PEOPLE:
        return None
    return asked.query(at=address, before=str(people[-1].entry), stuck="yes" if stuck else None)
