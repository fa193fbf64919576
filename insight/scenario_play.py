"""Playing a scenario on the pure machine: weeks in no time, and each fault with its place in the file."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import cast
from zoneinfo import ZoneInfo

from pydantic import JsonValue

from activities.customer_pages import NoPages, page_values
from insight.rehearsal import MAX_HAPPENINGS, EndlessRehearsalError, Rehearsal
from insight.rehearsal_world import Customer, Decided, Incoming, Outside
from insight.rehearsed import RehearsedCase, RehearsedDelivery, RehearsedRun
from insight.scenario import Expected, Local, Scenario, Scenarios, When, subject_of
from journey.decisions import (
    AuthorityExceededError,
    UnknownDecisionError,
    WrongFieldError,
    checked_decision,
)
from journey.document import Path, Problem
from journey.effects import Effect
from journey.program import Program
from journey.spans import read_span
from journey.standing import waits_for
from journey.steps.ask import Ask
from journey.steps.send import Send
from journey.steps.split import Split
from journey.touchpoint import Touchpoint

CUSTOMERS_TRIED = 100_000
"""How many customers are looked at for one who draws the arms that a scenario wants."""


class NoSuchCustomerError(ValueError):
    """Nobody draws these arms; the message says what was looked for."""


@dataclass(slots=True)
class Played:
    """What came of a scenario: its faults with their places, and the decisions of its runs."""

    scenario: str
    problems: list[Problem] = field(default_factory=list[Problem])
    decisions: list[str] = field(default_factory=list[str])

    @property
    def passed(self) -> bool:
        """Whether all was as it should be."""
        return not self.problems


Say = Callable[[str, Mapping[str, JsonValue]], str]
"""Puts a template into words."""

Unsayable = Callable[[str, Mapping[str, JsonValue]], str | None]
"""Why a message (by its name) or a brief (by its template) cannot be put into words; None where it can."""


def play(
    program: Program,
    scenarios: Scenarios,
    say: Say,
    *,
    message: Unsayable = lambda _message, _values: None,
    brief: Unsayable = lambda _brief, _values: None,
    most: int = MAX_HAPPENINGS,
) -> Iterator[Played]:
    """Play every scenario of a file. `say` puts what is shown at places into words.

    A scenario in which more than `most` happens goes in circles, and fails.

    A `message` that went out, or a `brief` for staff, that cannot be put into words fails its scenario.
    """
    for number, scenario in enumerate(scenarios.scenarios):
        played = Played(scenario.scenario)
        try:
            story = _Story(program, scenario, say, most)
        except NoSuchCustomerError as error:
            where: Path = ("scenarios", number, "given")
            played.problems.append(scenarios.document.problem(where, str(error)))
            yield played
            continue
        try:
            for path, words in story.faults(("scenarios", number)):
                played.problems.append(scenarios.document.problem(path, words))
        except EndlessRehearsalError as error:
            where = ("scenarios", number, "scenario")
            played.problems.append(scenarios.document.problem(where, str(error)))
        for words in story.unsayable(message, brief):
            where = ("scenarios", number, "scenario")
            played.problems.append(scenarios.document.problem(where, words))
        played.decisions = story.decisions()
        yield played


class _World:
    """One customer, whose channels all work, and staff who do what the scenario says."""

    def __init__(self, customer: Customer) -> None:
        self._customer = customer

    def customer(self, customer: str) -> Customer:
        return self._customer

    def takes(self, key: str, effect: Effect) -> timedelta:
        return timedelta(0)

    def staff(self, case: RehearsedCase) -> Decided | None:
        return None

    def follow_up(self, case: RehearsedCase, at: datetime) -> Iterable[Incoming]:
        return ()


class _Story:
    """One scenario under way."""

    def __init__(self, program: Program, scenario: Scenario, say: Say, most: int) -> None:
        given = scenario.given
        self._program, self._scenario, self._say = program, scenario, say
        self._zone = given.zone or program.zone
        self._now = self._local(given.at)
        self._customer = _customer_who(program, scenario)
        addresses = given.addresses if given.addresses is not None else _addresses(program)
        known = Customer(addresses=addresses, traits=given.customer, zone=given.zone)
        outside = Outside(calls=dict(given.calls), sold_out=frozenset(given.sold_out))
        self._rehearsal = Rehearsal(program, _World(known), most=most, outside=outside)
        self._numbers = count(1)
        self._rehearsal.know(self._customer, self._now)

    def faults(self, path: Path) -> Iterator[tuple[Path, str]]:
        """Let it happen; what is not as it should be, with its path."""
        for index, when in enumerate(self._scenario.when):
            here: Path = (*path, "when", index)
            if when.expect is not None:
                yield from self._compare(when.expect, (*here, "expect"))
            else:
                fault = self._happens(when)
                if fault is not None:
                    yield here, fault
        yield from self._compare(self._scenario.then, (*path, "then"))

    def decisions(self) -> list[str]:
        """What was decided and why, as the customer's clock had it."""
        zone = ZoneInfo(self._zone)
        return [
            f"{entry.at.astimezone(zone):%Y-%m-%d %H:%M} {entry.address}: {entry.kind}: {entry.why}"
            for _, entry in self._rehearsal.result.trace()
        ]

    def unsayable(self, message: Unsayable, brief: Unsayable) -> Iterator[str]:
        """What cannot be put into words of what went out and of what staff were to read, and why."""
        result, traits = self._rehearsal.result, self._rehearsal.traits(self._customer)
        customer: JsonValue = {**traits, "id": self._customer, "zone": self._zone}
        told: dict[str, None] = {}
        for delivery in self._deliveries("accepted"):
            sent, pages = delivery.message, page_values(NoPages(), self._customer, 1)
            values: dict[str, JsonValue] = {**pages, **sent.values, "customer": customer}
            if sent.asks is not None:
                values["survey"] = {"link": "https://example.com/s", "name": sent.asks.survey}
            why = message(sent.message, values)
            if why is not None:
                told[f"{sent.message} cannot be put into words: {why}"] = None
        for case in result.cases.values():
            why = brief(case.asked.brief, {**case.asked.values, "customer": customer})
            if why is not None:
                told[f"the brief for {case.queue} cannot be put into words: {why}"] = None
        yield from told

    # -- what happens

    def _happens(self, when: When) -> str | None:
        """Let one thing happen; why it could not, if it could not."""
        match when.kind:
            case "does" | "happens":
                self._comes(when)
            case "becomes":
                self._rehearsal.change_traits(self._customer, when.becomes or {}, self._now)
            case "staff":
                return self._decide(when)
            case "answers":
                return self._answer(when.answers or {})
            case "enters":
                self._rehearsal.request(self._customer, when.enters or {}, self._now)
            case "ends":
                if not self._rehearsal.result.starts:
                    return "it has begun no other journey"
                key = list(self._rehearsal.result.starts)[-1]
                self._rehearsal.end_started(key, str(when.ends), self._now)
            case "held_by":
                self._rehearsal.hold(self._customer, str(when.held_by))
            case "lifted":
                self._rehearsal.lift(self._customer, self._now)
            case "after":
                self._now = read_span(str(when.after)).after(self._now, self._zone)
            case _:
                moment = self._local(when.at or self._scenario.given.at)
                if moment < self._now:
                    return f"{when.at} has passed already"
                self._now = moment
        self._rehearsal.go_on(self._now)
        return None

    def _comes(self, when: When) -> None:
        touchpoint = Touchpoint(
            message_id=when.id or f"scenario-{next(self._numbers)}",
            event=when.does or when.happens or "",
            timestamp=self._now,
            properties=when.properties,
            context=subject_of(when) if when.about else {},
        )
        customer = self._customer if when.does else None
        self._rehearsal.feed([Incoming(at=self._now, touchpoint=touchpoint, customer=customer)])

    def _answer(self, said: dict[str, JsonValue]) -> str | None:
        asked = [each for each in self._deliveries("accepted") if each.message.asks is not None]
        if not asked:
            return "the customer was asked nothing"
        last = asked[-1]
        first = last.message.asks.n if last.message.asks else 0
        key = f"{last.key.rpartition(':')[0]}:{first}"
        self._rehearsal.answer_survey(key, said, self._now)
        self._rehearsal.go_on(self._now)
        return None

    def _decide(self, when: When) -> str | None:
        cases = [case for case in self._rehearsal.result.cases.values() if case.state == "open"]
        if not cases:
            return "staff have no open case to decide"
        decision, offered = when.staff or "", cases[-1].asked.decisions
        try:
            fields = checked_decision(offered, decision, when.fields, when.authority)
        except (UnknownDecisionError, WrongFieldError, AuthorityExceededError) as error:
            return None if when.refused else str(error)
        if when.refused:
            return f"they may decide {decision}"
        decided = Decided(after=timedelta(0), decision=decision, fields=fields)
        self._rehearsal.decide_case(cases[-1].case, decided, self._now)
        self._rehearsal.go_on(self._now)
        return None

    def _local(self, text: Local) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(self._zone))

    # -- what came of it

    def _compare(self, expected: Expected, path: Path) -> Iterator[tuple[Path, str]]:
        for name in sorted(expected.model_fields_set):
            wanted = getattr(expected, name)
            words = _differs(name, wanted, self._found(name))
            if words is not None:
                yield (*path, name), words

    def _found(self, name: str) -> object:
        """What is so: of the run that was entered last, or of the customer."""
        result, runs = self._rehearsal.result, list(self._rehearsal.result.all_runs())
        run = max(runs, key=lambda each: each.entry, default=None)
        match name:
            case "entries":
                return len(runs)
            case "sent":
                return [each.message.message for each in self._deliveries("accepted")]
            case "not_sent":
                return {each.message.message: each.reason for each in self._deliveries("refused")}
            case "cases":
                return [case.queue for case in result.cases.values()]
            case "open_cases":
                return [case.queue for case in result.cases.values() if case.state == "open"]
            case "briefs":
                return [self._brief(case) for case in result.cases.values() if case.state == "open"]
            case "started":
                return [started.journey for started in result.starts.values()]
            case "traits":
                return self._rehearsal.traits(self._customer)
            case _:
                return None if run is None else self._found_of(run, name)

    def _brief(self, case: RehearsedCase) -> str:
        return self._in_words(case.asked.brief, case.asked.values)

    def _in_words(self, template: str, values: Mapping[str, JsonValue]) -> str:
        customer: JsonValue = {**self._rehearsal.traits(self._customer), "zone": self._zone}
        return self._say(template, {**values, "customer": customer})

    def _deliveries(self, state: str) -> list[RehearsedDelivery]:
        return [each for each in self._rehearsal.result.deliveries.values() if each.state == state]

    def _found_of(self, run: RehearsedRun, name: str) -> object:
        state = run.state
        match name:
            case "outcome" | "goal" | "stage" | "values":
                return getattr(state, name)
            case "results":
                return state.results
            case "offers":
                named = {
                    name: told for name, told in state.results.items() if isinstance(told, dict)
                }
                return {name: told.get("state") for name, told in named.items()}
            case "says":
                return _said(run, self._in_words)
            case "promises":
                return {promise.name: promise.state for promise in run.promises.values()}
            case "waits_for":
                return list(waits_for(self._program, state, self._now))
            case "because":
                return [f"{entry.kind}: {entry.why}" for entry in run.trace]
            case "wakes_at":
                zone = ZoneInfo(self._zone)
                return f"{run.wakes_at.astimezone(zone):%Y-%m-%d %H:%M}" if run.wakes_at else None
            case "arms":
                results = state.results.items()
                return {
                    split: drawn.get("arm") for split, drawn in results if isinstance(drawn, dict)
                }
            case _:
                return run.needs_attention


_WORDS_IN = ("waits_for", "because")
_PARTS_OF = ("not_sent", "promises", "values", "traits", "arms", "offers")


def _differs(name: str, wanted: object, found: object) -> str | None:
    """How what was found differs from what was wanted, in words; None where it does not."""
    if name in _WORDS_IN and found is not None:
        words, said = cast("list[str]", wanted), cast("list[str]", found)
        missing = [each for each in words if not any(each in one for one in said)]
        return f"{missing[0]!r} is in none of {found}" if missing else None
    if name == "briefs":
        return _reads_otherwise(cast("list[str]", wanted), cast("list[str]", found))
    if name == "says" and found is not None:
        return _says_otherwise(
            cast("dict[str, list[str]]", wanted), cast("dict[str, list[str]]", found)
        )
    if name == "results" and found is not None:
        named = cast("dict[str, dict[str, object]]", found)
        for result, parts in cast("dict[str, dict[str, object]]", wanted).items():
            words = _differs("values", parts, named.get(result, {}))
            if words is not None:
                return f"{result}.{words}"
        return None
    if name in _PARTS_OF and found is not None:
        parts, there = cast("dict[str, object]", wanted), cast("dict[str, object]", found)
        wrong = [key for key in parts if key not in there or there[key] != parts[key]]
        if not wrong:
            return None
        told = f"it is {there[wrong[0]]!r}" if wrong[0] in there else "it is not there"
        return f"{wrong[0]}: expected {parts[wrong[0]]!r}, {told}"
    if name == "stopped" and isinstance(wanted, str) and isinstance(found, str) and wanted in found:
        return None
    return None if wanted == found else f"expected {wanted!r}, it is {found!r}"


def _said(run: RehearsedRun, say: Say) -> dict[str, list[str]]:
    """What is to be said now at each place, the most important first."""
    said: dict[str, list[str]] = {}
    for show in sorted(run.shows.values(), key=lambda each: (-each.priority, each.n)):
        for place in show.places if show.shown else ():
            said.setdefault(place, []).append(say(show.say, show.values))
    return said


def _says_otherwise(wanted: dict[str, list[str]], found: dict[str, list[str]]) -> str | None:
    for place, words in wanted.items():
        differs = _reads_otherwise(words, found.get(place, []))
        if differs is not None:
            return f"{place}: {differs}"
    return None


def _reads_otherwise(words: list[str], said: list[str]) -> str | None:
    if len(words) == len(said) and all(w in s for w, s in zip(words, said, strict=True)):
        return None
    return f"expected {words}, it is {said}"


def _addresses(program: Program) -> dict[str, str]:
    steps = [node.step for node in program.nodes.values()]
    told = [step for step in steps if isinstance(step, Send | Ask)]
    return {channel: f"customer@{channel}.example" for step in told for channel in step.via}


def _customer_who(program: Program, scenario: Scenario) -> str:
    """A customer who draws the arms, and is held out or not, as the scenario says."""
    given = scenario.given
    splits = {n.step.name: n.step for n in program.nodes.values() if isinstance(n.step, Split)}
    for name, arm in given.arms.items():
        if name not in splits or arm not in [each.arm for each in splits[name].arms]:
            raise NoSuchCustomerError(f"there is no split {name} with an arm {arm}")
    for number in range(CUSTOMERS_TRIED):
        customer = f"customer-{number}"
        drawn = all(
            splits[name].drawn(program.journey, customer).arm == arm
            for name, arm in given.arms.items()
        )
        if drawn and program.held_out(customer) == given.held_out:
            return customer
    told: dict[str, JsonValue] = {**given.arms, "held_out": given.held_out}
    raise NoSuchCustomerError(f"none of {CUSTOMERS_TRIED:,} customers draws {told}")
