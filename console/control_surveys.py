"""What customers answered: all surveys side by side, and one with its scores, its weeks, its journeys and its words."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from urllib.parse import quote

from starlette.responses import Response

from console.control_door import control_page, instant_of, number_of
from console.control_live import Shared
from console.control_window import Window, choices, in_address, named, window_of
from console.inbox_door import CONTROL, InboxDoor, RefusedPageError, Visit
from console.share_in_words import stacked_bar
from console.survey_words import (
    FORMULAS,
    GROUPS,
    KINDS,
    figure_in_words,
    range_in_words,
    said_of,
    value_in_words,
)
from insight.survey_figures import Said, SurveyFigure, survey_figure
from journey.program import Program
from journey.steps.ask import Ask
from journey.survey import SCORES, SurveyKind
from stores.database import clean_text
from stores.survey_looks import (
    MOST_ANSWERS,
    MOST_PEOPLE,
    MOST_SURVEYS,
    CountedAnswers,
    Invited,
    SideBySide,
    SurveyWords,
    WhoAnswered,
)

WEEK = timedelta(days=7)
MOST_WEEKS = 53
_BY_THE_HOUR = timedelta(days=7)


class Looks(Protocol):
    """Where answers are read; `stores.survey_looks` says what each guarantees."""

    async def surveys(self, most: int = MOST_SURVEYS) -> list[SurveyWords]: ...
    async def survey(self, name: str) -> SurveyWords | None: ...
    async def side_by_side(
        self, surveys: Sequence[str], before: datetime, since: datetime, until: datetime
    ) -> tuple[list[SideBySide], int]: ...
    async def counted(
        self, survey: str, since: datetime, until: datetime, most: int = MOST_ANSWERS
    ) -> list[CountedAnswers]: ...
    async def invited(
        self, journeys: Sequence[str], addresses: Sequence[str], since: datetime, until: datetime, *, by_day: bool
    ) -> list[Invited]: ...  # fmt: skip
    async def who(
        self, survey: str, since: datetime, until: datetime, *, score: float | None = None, choice: str | None = None,
        journey: str | None = None, with_words: bool = False, most: int = MOST_PEOPLE,
    ) -> list[WhoAnswered]: ...  # fmt: skip


class Programs(Protocol):
    """Journeys that customers may enter, and the program of a version."""

    async def live(self) -> list[Program]: ...
    async def program(self, version: str) -> Program | None: ...


@dataclass(slots=True, frozen=True, kw_only=True)
class Wanted:
    """Whose answers are listed: of one score, one choice, one journey, one week; else who wrote."""

    score: int | None
    choice: str | None
    journey: str | None
    week: datetime | None
    before: datetime | None
    everybody: bool

    @property
    def with_words(self) -> bool:
        """Whether they are those who wrote, as nothing else was chosen."""
        return (
            not self.everybody and (self.score, self.choice, self.journey, self.week) == (None,) * 4
        )

    def query(self, span: str, **other: str | None) -> str:
        """The same with something else."""
        parts = {
            "since": span,
            "score": None if self.score is None else str(self.score),
            "choice": self.choice,
            "journey": self.journey,
            "week": self.week.date().isoformat() if self.week else None,
            "all": "yes" if self.everybody else None,
            **other,
        }
        return in_address(parts)


@dataclass(slots=True, frozen=True, kw_only=True)
class SurveysPage:
    """The pages. `now`: wall time, by which answers stand; `run_now`: the time of runs, by which they are asked."""

    door: InboxDoor
    looks: Looks
    programs: Programs
    shared: Shared
    now: Callable[[], datetime]
    run_now: Callable[[], datetime]

    async def several(self, visit: Visit) -> Response:
        """`?since=28d`."""
        window = window_of(visit, self.now())
        values = await self.shared.once(
            ("surveys", window.span), None, lambda: self._several(window)
        )
        return control_page(self.door, visit, "control-surveys.html", values)

    async def _several(self, window: Window) -> dict[str, Any]:
        surveys = await self.looks.surveys()
        counted, most = await self.looks.side_by_side(
            [each.survey for each in surveys],
            window.before or window.since,
            window.since,
            window.until,
        )
        by_survey: dict[str, list[SideBySide]] = defaultdict(list)
        for each in counted:
            by_survey[each.survey].append(each)
        journeys = _asking(await self.programs.live())
        return {
            "window": window,
            "spans": choices(),
            "rows": [
                _glance(each, by_survey[each.survey], journeys.get(each.survey, ()), most)
                for each in surveys
            ],
            "most": most,
            "most_surveys": MOST_SURVEYS if len(surveys) == MOST_SURVEYS else 0,
        }

    async def show(self, visit: Visit) -> Response:
        """`?since=28d`, and whose: `&score=3`, `&choice=price`, `&journey=cart`, `&week=2026-11-23`, `&all=yes`."""
        name = clean_text(visit.request.path_params["name"])
        survey = await self.looks.survey(name)
        if survey is None:
            raise RefusedPageError(404, "There is no such survey.")
        window = window_of(visit, self.now())
        figures = await self.shared.once(
            ("survey", name, window.span), None, lambda: self._figures(survey, window)
        )
        wanted = _wanted(visit.request.query_params)
        people = await self._people(survey, window, wanted)
        values = {**figures, **people, "survey": survey, "spans": choices()}
        return control_page(self.door, visit, "control-survey.html", values)

    async def _figures(self, survey: SurveyWords, window: Window) -> dict[str, Any]:
        kind = kind_of(survey)
        counted = await self.looks.counted(survey.survey, window.since, window.until)
        earlier = (
            await self.looks.counted(survey.survey, window.before, window.since)
            if window.before is not None
            else []
        )
        offered = tuple(survey.words.choices) if survey.words else ()
        figure = survey_figure(kind, _sums(kind, counted), _sums(kind, earlier), offered)
        before = survey_figure(kind, _sums(kind, earlier), None, offered)
        weeks, cut_weeks = _weeks(kind, counted)
        return {
            "kind": kind,
            "kind_words": KINDS[kind],
            "formula": FORMULAS[kind],
            "groups": GROUPS[kind],
            "window": window,
            "figure": figure,
            "told": figure_in_words(figure),
            "before": figure_in_words(before) if before.answered else None,
            "answered_before": before.answered,
            "bars": _bars(survey, figure),
            "weeks": weeks,
            "cut_weeks": MOST_WEEKS if cut_weeks else 0,
            "journeys": _journeys(kind, counted),
            "cut": MOST_ANSWERS if sum(each.n for each in counted) >= MOST_ANSWERS else 0,
            "asked": await self._asked(survey.survey, window),
        }

    async def _asked(self, survey: str, window: Window) -> dict[str, Any] | None:
        """What the steps that ask noted; None where no journey that customers may enter asks it."""
        steps = _asking(await self.programs.live()).get(survey, ())
        if not steps:
            return None
        now, length = self.run_now(), window.until - window.since
        noted = await self.looks.invited(
            sorted({journey for journey, _ in steps}), sorted({address for _, address in steps}),
            now - length, now, by_day=length > _BY_THE_HOUR,
        )  # fmt: skip
        counts: Counter[str] = Counter()
        for each in noted:
            program = await self.programs.program(each.version)
            node = program.nodes.get(each.address) if program else None
            if node is not None and isinstance(node.step, Ask) and node.step.survey == survey:
                counts[each.kind] += each.n
        over = counts["answered"] + counts["late"]
        return {
            "sent": counts["sent"],
            "reminded": counts["reminded"],
            "answered": counts["answered"],
            "over": over,
            "share": f"{100 * counts['answered'] / over:.0f} %" if over else "–",
        }

    async def _people(self, survey: SurveyWords, window: Window, wanted: Wanted) -> dict[str, Any]:
        since, until = window.since, window.until
        if wanted.week is not None:
            since, until = max(since, wanted.week), min(until, wanted.week + WEEK)
        if wanted.before is not None:
            until = min(until, wanted.before)
        found = await self.looks.who(
            survey.survey, since, until, score=wanted.score, choice=wanted.choice,
            journey=wanted.journey, with_words=wanted.with_words,
        )  # fmt: skip
        kind, here = kind_of(survey), f"{CONTROL}/survey/{quote(survey.survey, safe='')}"
        more = (
            f"{here}?{wanted.query(window.span, before=found[-1].at.isoformat())}#who"
            if len(found) == MOST_PEOPLE
            else None
        )
        return {
            "here": here,
            "wanted": wanted,
            "heading": _heading(survey, wanted),
            "people": [{"answer": each, "said": _said(survey, kind, each)} for each in found],
            "more": more,
        }


def kind_of(survey: SurveyWords) -> SurveyKind:
    """What kind it is of; one whose words nobody knows has answers, and no figure."""
    return survey.words.type if survey.words else "text"


def _asking(programs: Iterable[Program]) -> dict[str, list[tuple[str, str]]]:
    """By survey, the journeys and the steps in them that ask it."""
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for program in programs:
        for address, node in program.nodes.items():
            if isinstance(node.step, Ask):
                found[node.step.survey].append((program.journey, address))
    return found


def _sums(kind: SurveyKind, counted: Iterable[CountedAnswers | SideBySide]) -> dict[Said, int]:
    sums: Counter[Said] = Counter()
    for each in counted:
        sums[said_of(kind, each.score, each.choice)] += each.n
    return dict(sums)


def _glance(
    survey: SurveyWords,
    counted: Sequence[SideBySide],
    steps: Sequence[tuple[str, str]],
    most: int,
) -> dict[str, Any]:
    kind = kind_of(survey)
    now = _sums(kind, [each for each in counted if each.later])
    before = _sums(kind, [each for each in counted if not each.later])
    figure = survey_figure(kind, now, before)
    earlier = survey_figure(kind, before)
    return {
        "survey": survey,
        "kind": KINDS[kind],
        "figure": figure,
        "told": figure_in_words(figure),
        "before": figure_in_words(earlier)["value"] if earlier.estimate else "",
        "journeys": sorted({journey for journey, _ in steps}),
        "parts": _parts(kind, figure.groups, sum(figure.groups.values())),
        "cut": figure.answered + figure.strays >= most,
    }


def _bars(survey: SurveyWords, figure: SurveyFigure) -> list[dict[str, Any]]:
    most = max((each.n for each in figure.shares), default=0) or 1
    words = survey.words.choices if survey.words else {}
    return [
        {
            "said": each.said,
            "words": words.get(str(each.said), str(each.said)),
            "n": each.n,
            "width": 100 * each.n / most,
            "share": value_in_words("choice", each.estimate.value) if figure.answered else "–",
            "range": range_in_words("choice", each.estimate) if figure.answered else "",
            "change": each.change,
            "end": _end(figure.kind, each.said),
            "ask": "choice" if figure.kind == "choice" else "score",
        }
        for each in figure.shares
    ]


def _end(kind: SurveyKind, said: Said) -> str:
    """Which end of the scale it is: `high`, `middle` or `low`."""
    if kind == "choice":
        return "high"
    groups = survey_figure(kind, {said: 1}).groups
    return next((end for name, _, end in GROUPS[kind] if name in groups), "middle")


def _parts(kind: SurveyKind, groups: Mapping[str, int], of: int) -> list[dict[str, Any]]:
    """The parts of a bar from left to right, as hundredths of it, and in words."""
    shown = GROUPS[kind] or tuple((name, "answers", "high") for name in groups)[:1]
    counts = [groups.get(name, 0) if GROUPS[kind] else sum(groups.values()) for name, _, _ in shown]
    bar = stacked_bar(zip(counts, (end for _, _, end in shown), strict=True), of)
    return [
        {**part, "n": n, "words": words}
        for part, n, (_, words, _) in zip(bar, counts, shown, strict=True)
    ]


def _weeks(
    kind: SurveyKind, counted: Sequence[CountedAnswers]
) -> tuple[list[dict[str, Any]], bool]:
    """Each week in which somebody answered, the newest first; whether there are more than are shown."""
    by_week: dict[datetime, list[CountedAnswers]] = defaultdict(list)
    for each in counted:
        by_week[each.week].append(each)
    figures = {week: survey_figure(kind, _sums(kind, rows)) for week, rows in by_week.items()}
    most = max((each.answered for each in figures.values()), default=0)
    newest = sorted(figures, reverse=True)
    return [
        {
            "week": week,
            "figure": figures[week],
            "told": figure_in_words(figures[week]),
            "parts": _parts(kind, figures[week].groups, most),
        }
        for week in newest[:MOST_WEEKS]
    ], len(newest) > MOST_WEEKS


def _journeys(kind: SurveyKind, counted: Sequence[CountedAnswers]) -> list[dict[str, Any]]:
    by_journey: dict[str, list[CountedAnswers]] = defaultdict(list)
    for each in counted:
        by_journey[each.journey].append(each)
    rows: list[dict[str, Any]] = []
    for journey, answers in by_journey.items():
        figure = survey_figure(kind, _sums(kind, answers))
        rows.append({"journey": journey, "figure": figure, "told": figure_in_words(figure)})
    return sorted(rows, key=lambda row: (-row["figure"].answered, row["journey"]))


def _wanted(query: Mapping[str, str]) -> Wanted:
    week = instant_of(query.get("week", ""))
    return Wanted(
        score=number_of(query.get("score", "")),
        choice=named(query, "choice"),
        journey=named(query, "journey"),
        week=week if week is not None and datetime(1970, 1, 1, tzinfo=UTC) < week < _LAST else None,
        before=instant_of(query.get("before", "")),
        everybody=query.get("all") == "yes",
    )


_LAST = datetime(9_000, 1, 1, tzinfo=UTC)


def _heading(survey: SurveyWords, wanted: Wanted) -> str:
    if wanted.with_words:
        return "What they wrote"
    parts = ["Who answered"]
    if wanted.score is not None:
        parts = [f"Who gave {wanted.score}"]
    if wanted.choice is not None:
        words = survey.words.choices if survey.words else {}
        parts = [f"Who chose {words.get(wanted.choice, wanted.choice)}"]
    if wanted.journey is not None:
        parts.append(f"in {wanted.journey}")
    if wanted.week is not None:
        parts.append(f"in the week from {wanted.week:%Y-%m-%d} (UTC)")
    return " ".join(parts)


def _said(survey: SurveyWords, kind: SurveyKind, answer: WhoAnswered) -> str:
    """What they gave or chose."""
    if answer.score is not None:
        highest = SCORES[kind][1] if kind in SCORES else None
        return f"{answer.score:g} of {highest}" if highest else f"{answer.score:g}"
    if answer.choice is not None:
        words = survey.words.choices if survey.words else {}
        return words.get(answer.choice, answer.choice)
    return ""
