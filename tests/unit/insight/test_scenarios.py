"""Scenarios beside journeys: what is wrong with them, or with the journey, is told with its place."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import JsonValue

from channels.liquid_text import LiquidText
from insight.scenario import read_scenarios
from insight.scenario_play import play
from journey.document import InvalidDocumentError
from journey.publication import read_definition

JOURNEY = """
language: 1
journey: tale
title: A tale
owner: tests
zone: Europe/Prague
enter: {on: Began, again: always}
stages:
  - stage: only
    steps:
      - split: {name: tried, arms: [{arm: red}, {arm: blue, do: [{send: {message: hello, purpose: marketing}}]}]}
      - wait: next 09:00
      - handoff: {queue: help, brief: Help, decisions: {yes: {do: [{finish: helped}]}, no: {}}}
      - finish: done
"""

BEGINS = "scenarios: [{scenario: It, when: [{does: Began}%s], then: %s}]"


def plain(template: str, values: Mapping[str, JsonValue]) -> str:
    """What is shown, as its author wrote it."""
    return template


def problems(then: str, *when: str, given: str = "") -> list[str]:
    """What is wrong, as `line:column path: words`."""
    text = BEGINS % ("".join(f", {each}" for each in when), then)
    text = text.replace("when:", f"given: {given}, when:", 1) if given else text
    program = read_definition(JOURNEY, "journey.yaml").program
    [played] = play(program, read_scenarios(text, "scenarios.yaml"), plain)
    return [str(problem) for problem in played.problems]


def test_what_is_so_is_so() -> None:
    whole = "{outcome: helped, cases: [help], open_cases: [], entries: 1, stopped: null}"

    assert problems(whole, "{after: 1d}", "{staff: yes}") == []


@pytest.mark.parametrize(
    ("then", "told"),
    [
        ("{outcome: done}", "scenarios[0].then.outcome: expected 'done', it is None"),
        ("{sent: [other]}", "scenarios[0].then.sent: expected ['other'], it is ['hello']"),
        ("{entries: 2}", "scenarios[0].then.entries: expected 2, it is 1"),
        ("{because: [nothing like it]}", "'nothing like it' is in none of"),
        ("{arms: {tried: red}}", "tried: expected 'red', it is 'blue'"),
        ("{values: {a: 1}}", "a: expected 1, it is not there"),
        ("{wakes_at: 2026-03-03 10:00}", "it is '2026-03-03 09:00'"),
    ],
)
def test_what_is_not_so_is_told_at_its_place(then: str, told: str) -> None:
    [problem] = problems(then, given="{arms: {tried: blue}}")

    assert told in problem
    assert problem.startswith("scenarios.yaml:1:")


def test_time_is_the_customers() -> None:
    given = "{at: 2026-03-28 10:00, zone: America/New_York}"

    assert problems("{wakes_at: 2026-03-29 09:00}", given=given) == []


def test_a_customer_is_found_who_draws_the_arm() -> None:
    assert problems("{sent: []}", given="{arms: {tried: red}}") == []
    assert problems("{sent: [hello]}", given="{arms: {tried: blue}}") == []
    [problem] = problems("{sent: []}", given="{arms: {tried: green}}")
    assert "there is no split tried with an arm green" in problem


def test_staff_decide_only_what_is_there_to_be_decided() -> None:
    [none, _] = problems("{outcome: helped}", "{staff: yes}")
    [unknown, _] = problems("{outcome: helped}", "{after: 1d}", "{staff: perhaps}")

    assert "staff have no open case to decide" in none
    assert "'perhaps' is not offered; choose among: yes, no" in unknown


GRANTS = JOURNEY.replace("handoff: {", "handoff: {as: grant, ").replace(
    "no: {}", "grant: {fields: {amount: number}, authority: amount}"
)


@pytest.mark.parametrize(
    ("staff", "told"),
    [
        ("{staff: grant, fields: {amount: 20}, authority: 50}", []),
        ("{staff: grant, fields: {amount: 80}}", []),
        ("{staff: grant, fields: {amount: 80}, authority: 50}", ["amount: 80 is more than the 50"]),
        ("{staff: grant}", ["amount: is missing; 'grant' needs it"]),
        ("{staff: grant, fields: {amount: much}}", ["amount: expected a number"]),
        ("{staff: grant, fields: {amount: 20}, refused: true}", ["they may decide grant"]),
    ],
)
def test_staff_decide_what_they_may_and_fill_in_what_it_needs(staff: str, told: list[str]) -> None:
    program = read_definition(GRANTS, "journey.yaml").program
    text = BEGINS % (f", {{after: 1d}}, {staff}", "{}")
    [played] = play(program, read_scenarios(text, "scenarios.yaml"), plain)

    assert len(played.problems) == len(told)
    assert all(words in str(problem) for words, problem in zip(told, played.problems, strict=True))


def test_who_goes_beyond_their_authority_leaves_the_case_to_somebody_who_may() -> None:
    program = read_definition(GRANTS, "journey.yaml").program
    agent = "{staff: grant, fields: {amount: 80}, authority: 50, refused: true}"
    lead = "{staff: grant, fields: {amount: 80}, authority: 500}"
    text = BEGINS % (
        f", {{after: 1d}}, {agent}, {lead}",
        "{outcome: done, results: {grant: {amount: 80}}}",
    )
    [played] = play(program, read_scenarios(text, "scenarios.yaml"), plain)

    assert played.passed


def test_what_staff_read_is_what_the_brief_says() -> None:
    assert problems("{briefs: [Help]}", "{after: 1d}") == []
    assert problems("{briefs: []}", "{after: 1d}", "{staff: yes}") == []
    [problem] = problems("{briefs: [Hurry]}", "{after: 1d}")
    assert "scenarios[0].then.briefs: expected ['Hurry'], it is ['Help']" in problem


def test_time_does_not_go_back() -> None:
    [problem] = problems("{stage: only}", "{at: 2026-03-01 10:00}")

    assert "has passed already" in problem


def test_traits_change_on_the_way() -> None:
    given = "{arms: {tried: blue}, customer: {marketing_consent: true}}"
    when = "{becomes: {marketing_consent: false}}", "{does: Began}"

    assert problems("{traits: {marketing_consent: false}}", *when, given=given) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("scenarios: []", "scenarios"),
        (BEGINS % (", {does: A, after: 1h}", "{}"), "expected exactly one of does, happens"),
        (BEGINS % (", {after: 1h, with: {a: 1}}", "{}"), "with says nothing beside after"),
        (BEGINS % (", {happens: A}", "{}"), "happens needs a subject"),
        (BEGINS % (", {after: soon}", "{}"), "scenarios[0].when[1].after"),
        (BEGINS % (", {at: tomorrow}", "{}"), "expected a local time such as 2026-03-02 10:00"),
        (BEGINS % ("", "{outcom: done}"), "'outcom' is not a word of the language here"),
        ("scenarios: [{scenario: It, given: {zone: Mars}, when: [{does: A}], then: {}}]", "no time zone 'Mars'"),
    ],
)  # fmt: skip
def test_a_file_that_means_nothing_is_refused(text: str, told: str) -> None:
    with pytest.raises(InvalidDocumentError, match=r"scenarios\.yaml:1:") as refused:
        read_scenarios(text, "scenarios.yaml")

    assert told in str(refused.value)


def fault_of(what: str, values: Mapping[str, JsonValue]) -> str | None:
    """Nobody has a first name, and both the message and the brief ask for it."""
    return f"{what} needs a name" if "first_name" not in str(values["customer"]) else None


def unsayable(given: str) -> list[str]:
    text = BEGINS % (", {after: 1d}", "{}")
    text = text.replace("when:", f"given: {given}, when:", 1)
    program = read_definition(JOURNEY, "journey.yaml").program
    scenarios = read_scenarios(text, "scenarios.yaml")
    [played] = play(program, scenarios, plain, message=fault_of, brief=fault_of)
    return [str(problem) for problem in played.problems]


def test_what_cannot_be_put_into_words_fails_the_scenario_in_which_it_was_sent() -> None:
    told = unsayable("{arms: {tried: blue}}")

    assert [problem.partition("scenario: ")[2] for problem in told] == [
        "hello cannot be put into words: hello needs a name",
        "the brief for help cannot be put into words: Help needs a name",
    ]
    assert all(problem.startswith("scenarios.yaml:1:") for problem in told)
    assert unsayable("{arms: {tried: blue}, customer: {first_name: Eva}}") == []


def as_the_customer_reads_it(template: str, values: Mapping[str, JsonValue]) -> str:
    return LiquidText().render(template, values, datetime(2026, 3, 2, 9, tzinfo=UTC))


@pytest.mark.parametrize("stories", sorted(Path("examples").glob("*/*scenarios.yaml")), ids=str)
def test_every_example_does_what_its_scenarios_say(stories: Path) -> None:
    journey = stories.with_name(stories.name.replace("scenarios.", "journey."))
    program = read_definition(journey.read_text(), str(journey)).program
    scenarios = read_scenarios(stories.read_text(), str(stories))

    wrong = [
        problem
        for played in play(program, scenarios, as_the_customer_reads_it)
        for problem in played.problems
    ]
    assert wrong == []


def test_a_message_may_name_the_pages_of_its_customer() -> None:
    program = read_definition(JOURNEY, "journey.yaml").program
    scenarios = read_scenarios(BEGINS % (", {after: 1d}", "{}"), "scenarios.yaml")
    named: list[object] = []

    def says(_message: str, values: Mapping[str, JsonValue]) -> None:
        named.extend(values[name] for name in ("preferences", "hold", "status", "person"))

    list(play(program, scenarios, plain, message=says))

    assert {str(each) for each in named} >= {"{'link': 'https://example.com/status'}"}
