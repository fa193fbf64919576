"""Search: who stands where, with which traits, since when; how many, in which stages; and all of them as a file."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from datetime import datetime
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, Protocol, cast

from starlette.responses import Response, StreamingResponse

from console.control_door import control_page, number_of
from console.control_reads import Definitions, Programs
from console.inbox_door import CONTROL, HEADERS, InboxDoor, RefusedPageError, Visit, to
from console.search_choice import (
    Choice,
    filled_in,
    in_address,
    in_form,
    kept_by_browser,
    of_wanted,
)
from insight.graph_parts import JourneyGraph
from insight.journey_graph import journey_graph
from insight.measured_graph import length_in_words
from stores.failed_searches import UnreadableSearchError
from stores.run_files import (
    FORMATS,
    IDS_OF_THE_HOUSE,
    MEDIA_TYPES,
    MOST_ROWS,
    MOST_TRAITS,
    FileWanted,
    Format,
    Written,
)
from stores.run_search import MOST_COUNTED, MOST_ON_PAGE, FoundRun, InOneStage, Spread, TooWideError
from stores.saved_searches import EVERY, KEPT, SavedSearch
from stores.wanted_runs import WantedRuns

STATES = {
    "under_way": "under way",
    "ended": "ended",
    "goal": "ended with the goal",
    "stuck": "needs people",
}
COMPARISONS = {
    "is": "is",
    "is_not": "is not",
    "at_least": "is at least",
    "at_most": "is at most",
    "is_there": "is there",
}
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MOST_BARS = 12
SEES_ADDRESSES = ("lead", "editor", "admin")
"""Roles whose files have where customers are reached; an analyst's have the ids of the house."""

KEEPS_SEARCHES = ("editor", "admin")
_IN_MEMORY = 4_000_000
_CHUNK = 64_000

NOBODY = Spread(stages=[], counted=0, more=False)


class Searches(Protocol):
    """What finds; `stores.run_search` says what it guarantees."""

    async def page(
        self, wanted: WantedRuns, before: int | None = None, most: int = MOST_ON_PAGE
    ) -> list[FoundRun]: ...
    async def spread(self, wanted: WantedRuns) -> Spread: ...
    async def traits(self) -> list[str]: ...


class Exports(Protocol):
    """What writes files; `stores.run_files` says what it guarantees."""

    async def export(self, wanted: FileWanted, into: BinaryIO, *, by: str) -> Written: ...


class Kept(Protocol):
    """Searches that are kept; `stores.saved_searches` says what it guarantees."""

    async def all(self, search: int | None = None) -> list[SavedSearch]: ...


class AllDefinitions(Definitions, Protocol):
    """What was published, of whatever journey."""

    async def journeys(self) -> list[str]: ...


@dataclass(slots=True, frozen=True, kw_only=True)
class SearchPage:
    """The page and its files. `run_now`: the time of runs; `now`: wall time."""

    door: InboxDoor
    searches: Searches
    exports: Exports
    kept: Kept
    definitions: AllDefinitions
    programs: Programs
    run_now: Callable[[], datetime]
    now: Callable[[], datetime]

    async def show(self, visit: Visit) -> Response:
        """`?journey=cart&stage=offer&…&before=` an entry, to leaf on; `?saved=` a search that is kept."""
        query = visit.request.query_params
        saved = query.get("saved", "")
        if saved:
            choice = await self._saved(saved)
        else:
            journeys = await self.definitions.journeys()
            choice = in_address(self.door, visit.request, journeys)
        return await self.page(visit, choice, number_of(query.get("before", "")))

    async def seek(self, visit: Visit) -> Response:
        """What was filled in leads to an address, without what may be where a customer is reached."""
        choice = filled_in(visit.form, await self.definitions.journeys())
        if choice.wrong:
            return await self.page(visit, choice)
        return kept_by_browser(
            self.door, visit.request, choice, lambda query: to(f"{CONTROL}/search?{query}")
        )

    async def export(self, visit: Visit) -> Response:
        """What is found, as a file. An analyst's has no addresses."""
        choice = await self.chosen(visit)
        wanted = FileWanted(
            runs=choice.wanted,
            format=format_of(visit),
            traits=visit.form.lines("with", 200)[:MOST_TRAITS],
            kinds=None if visit.member.role in SEES_ADDRESSES else IDS_OF_THE_HOUSE,
        )
        file = cast(
            "BinaryIO",
            SpooledTemporaryFile(max_size=_IN_MEMORY),  # noqa: SIM115 -- the answer closes it, once it is sent
        )
        try:
            written = await self.exports.export(wanted, file, by=visit.member.member)
        except TooWideError as wide:
            file.close()
            raise RefusedPageError(400, str(wide)) from None
        file.seek(0)
        part = f"-first-{written.rows}" if written.cut else ""
        name = f"clew-search-{self.now():%Y-%m-%d}{part}"
        return as_file(name, wanted.format, chunks(file))

    async def chosen(self, visit: Visit) -> Choice:
        """What a form goes on from. Raises: `RefusedPageError`."""
        saved = visit.form.line("saved", 20)
        if saved:
            return await self._saved(saved)
        journeys = await self.definitions.journeys()
        choice = in_form(self.door, visit.request, visit.form, journeys)
        if choice.wrong:
            raise RefusedPageError(400, choice.wrong)
        return choice

    async def page(
        self, visit: Visit, choice: Choice, before: int | None = None, wrong: str = ""
    ) -> Response:
        """The page with what was found, if anything is asked for."""
        searched = not choice.wrong and choice.wanted.anything
        values: dict[str, Any] = {
            "choice": choice,
            "wrong": wrong or choice.wrong,
            "searched": searched,
            "states": STATES,
            "comparisons": COMPARISONS,
            "traits": await self._traits(),
            "kept": await self.kept.all(),
            "kept_days": KEPT.days,
            "most_rows": MOST_ROWS,
            "formats": FORMATS,
            "every": EVERY,
            "weekdays": WEEKDAYS,
            "may_keep": visit.member.role in KEEPS_SEARCHES,
            "may_have": visit.member.role in SEES_ADDRESSES,
            **await self._offered(choice),
        }
        if searched:
            values |= await self._found(choice, before)
        status = 400 if wrong or choice.wrong else 200
        return control_page(self.door, visit, "control-search.html", values, status)

    async def _saved(self, saved: str) -> Choice:
        number = number_of(saved)
        found = await self.kept.all(number) if number is not None else []
        if not found:
            raise RefusedPageError(404, "There is no such search: it may have been ended.")
        wanted = found[0].wanted
        if wanted is None:
            raise RefusedPageError(400, str(UnreadableSearchError.__doc__))
        return of_wanted(saved, wanted)

    async def _traits(self) -> list[str]:
        try:
            return await self.searches.traits()
        except TooWideError:
            return []  # names can be typed in as well

    async def _offered(self, choice: Choice) -> dict[str, Any]:
        """What there is to choose from; versions, stages and steps once there is a journey."""
        journeys = await self.definitions.journeys()
        journey = choice.fields.get("journey", "")
        if journey not in journeys:
            return {"journeys": journeys, "versions": [], "stages": [], "steps": []}
        versions = await self.definitions.versions(journey)
        live = await self.definitions.live(journey)
        drawn = choice.fields.get("version") or live or versions[0].version
        graph = await self._graph(drawn)
        return {
            "journeys": journeys,
            "versions": [(each.version, each.version[:12], each.version == live) for each in versions],
            "stages": [(name, group.title) for name, group in graph.stages.items()] if graph else [],
            "steps": [(at, node.words[0]) for at, node in graph.nodes.items() if at] if graph else [],
        }  # fmt: skip

    async def _graph(self, version: str | None) -> JourneyGraph | None:
        program = await self.programs.program(version) if version else None
        return journey_graph(program) if program is not None else None

    async def _found(self, choice: Choice, before: int | None) -> dict[str, Any]:
        spread, people, too_wide = None, list[FoundRun](), ""
        try:
            people = await self.searches.page(choice.wanted, before)
            nobody = before is None and not people  # it looked at everybody: not twice
            spread = NOBODY if nobody else await self.searches.spread(choice.wanted)
        except TooWideError as wide:
            too_wide = str(wide)
        now = self.run_now()
        rows = [await self._row(each, choice.wanted.step, now) for each in people]
        more = len(people) == MOST_ON_PAGE
        return {
            "people": rows,
            "spread": spread,
            "bars": await self._bars(spread) if spread else [],
            "most_counted": MOST_COUNTED,
            "too_wide": too_wide,
            "first": before is None,
            "more": choice.query(before=str(people[-1].entry)) if more else None,
        }

    async def _row(self, run: FoundRun, step: str, now: datetime) -> dict[str, Any]:
        graph = await self._graph(run.version)
        at = [step] if step in run.steps else run.steps
        nodes = [graph.nodes.get(each) if graph else None for each in at]
        return {
            "run": run,
            "stage": _title(graph, run.stage),
            "steps": [
                node.words[0] if node else each for each, node in zip(at, nodes, strict=True)
            ],
            "stands": length_in_words(max(0.0, (now - run.since).total_seconds())),
        }

    async def _bars(self, spread: Spread) -> list[dict[str, Any]]:
        """The stages that most are in; the others together."""
        shown, others = spread.stages[:MOST_BARS], spread.stages[MOST_BARS:]
        bars: list[dict[str, Any]] = [
            {"words": await self._words(each), "n": each.n} for each in shown
        ]
        if others:
            bars.append({"words": "elsewhere", "n": sum(each.n for each in others)})
        most = max((each["n"] for each in bars), default=1)
        return [{**each, "share": 100 * each["n"] / most} for each in bars]

    async def _words(self, group: InOneStage) -> str:
        if group.state != "open":
            how = "ended with the goal" if group.goal else "ended without the goal"
            return f"{group.journey}: {how}"
        return f"{group.journey}: {_title(await self._graph(group.version), group.stage)}"


def format_of(visit: Visit) -> Format:
    """The format that a form asks for. Raises: `RefusedPageError`."""
    asked = visit.form.line("format")
    for each in FORMATS:
        if each == asked:
            return each
    raise RefusedPageError(400, f"Choose a format: {' or '.join(FORMATS)}.")


def as_file(name: str, kind: Format, content: AsyncGenerator[bytes]) -> Response:
    """A file that the browser keeps, and does not show."""
    return StreamingResponse(
        content,
        media_type=MEDIA_TYPES[kind],
        headers={**HEADERS, "Content-Disposition": f'attachment; filename="{name}.{kind}"'},
    )


async def chunks(file: BinaryIO) -> AsyncGenerator[bytes]:
    """A file piece by piece; it is closed after the last."""
    with file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _title(graph: JourneyGraph | None, stage: str | None) -> str:
    if stage is None:
        return "before its first stage"
    group = graph.stages.get(stage) if graph else None
    return group.title if group else stage
