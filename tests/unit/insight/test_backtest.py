"""A backtest tells what would have happened, the same whoever plays which customers."""

from contextlib import nullcontext
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from contracts.made_records import Made
from insight.backtest import (
    PartBacktest,
    last_entry,
    play_together,
    shares,
    tasks_of,
)
from insight.backtest_customers import BacktestStoppedError, Bounds
from insight.backtest_figures import Figures
from insight.backtest_plain import as_plain
from insight.backtest_processes import Order, play_apart
from insight.backtest_report import report
from insight.backtest_world import RecordedWorld, StaffRule
from insight.sorted_recording import KnownCustomer, SortedRecording, our_id
from journey.publication import Publishable
from tests.unit.insight.recordings import (
    DAY,
    NOON,
    TEA,
    bounds,
    came,
    guests,
    journey,
    sorted_in,
)

HOUR = timedelta(hours=1)


class Kept:
    """Keeps all that was made."""

    def __init__(self) -> None:
        self.made = Made()

    def take(self, made: Made) -> None:
        for name in ("customers", "touchpoints", "runs", "deliveries", "cases"):
            getattr(self.made, name).extend(getattr(made, name))


def played(
    tea: Publishable,
    recording: SortedRecording,
    *,
    staff: StaffRule | None = None,
    examples: int = 0,
    kept: Kept | None = None,
    until: timedelta | None = None,
) -> Figures:
    """Customer by customer, in this process."""
    within = bounds(recording, examples)
    if until is not None:
        within = Bounds(begins=within.begins, ends=NOON + until, examples=examples)
    rules = {"*": staff} if staff else {}
    player = PartBacktest(
        tea.program,
        within,
        lambda: RecordedWorld({"email"}, rules),
        (lambda: nullcontext(kept)) if kept else None,
    )
    figures = Figures()
    for task in tasks_of(tea.program, recording):
        figures.add(player.play(task), examples)
    return figures


def test_everybody_who_bought_enough_enters_and_the_others_are_told_why_not(tmp_path: Path):
    figures = played(journey(), sorted_in(tmp_path, guests(70)), until=40 * DAY)

    assert figures.customers == 70
    assert figures.runs == figures.outcomes.total() >= 60
    why = ("not entered", "not true of them: event.properties.price >= 2.0")
    assert figures.why_not[why] == 10
    assert figures.example[why] in {f"guest-{n}" for n in range(3, 70, 7)}


def test_which_way_they_went_adds_up(tmp_path: Path):
    figures = played(journey(), sorted_in(tmp_path, guests(70)), until=40 * DAY)
    arms = figures.ways["tasting/blend", "green"] + figures.ways["tasting/blend", "black"]

    assert arms == figures.runs == figures.stages["tasting"]
    assert (
        figures.ways["tasting/2", "Tea Bought came"]
        == figures.outcomes["again", True, False] + (figures.outcomes["again", True, True])
    )


def test_who_is_held_out_is_sent_nothing_and_counted(tmp_path: Path):
    figures = played(journey(), sorted_in(tmp_path, guests(70)), until=40 * DAY)
    sent = figures.deliveries["how-was-it", "accepted", ""]
    held = figures.deliveries["how-was-it", "refused", "held_out"]

    assert 0 < held == figures.held_out
    assert sent + held == figures.runs
    assert sum(figures.sent_days.values()) == sent
    assert figures.why_not[
        "how-was-it not sent", "held_out: the customer is in the hold-out group"
    ] == (held)


def known(tmp_path: Path, *customers: KnownCustomer) -> SortedRecording:
    recording = SortedRecording(tmp_path, "Tea Bought")
    for customer in customers:
        recording.know(customer)
        recording.take(came(customer.customer, "Tea Bought", timedelta(0), price=3.0))
    recording.close()
    return recording


def test_without_consent_or_address_nothing_is_sent(tmp_path: Path):
    cold = KnownCustomer(customer="cold", traits={"marketing_consent": False})
    mute = KnownCustomer(customer="mute", addresses={})
    tea = journey(TEA.replace("hold_out: 20%", "hold_out: 0%"))
    figures = played(tea, known(tmp_path, cold, mute), until=DAY)

    assert figures.deliveries == {
        ("how-was-it", "refused", "no_consent"): 1,
        ("how-was-it", "refused", "unreachable"): 1,
    }


GOLD = KnownCustomer(customer="ann", traits={"tier": "gold", "name": "Ann"})


def test_cases_are_counted_by_the_day_in_the_journeys_zone_and_stay_open(tmp_path: Path):
    figures = played(journey(), known(tmp_path, GOLD), until=4 * DAY)

    assert figures.case_days == {(date(2026, 3, 5), "hosts"): 1}
    assert figures.cases == {("hosts", "open"): 1}


@pytest.mark.parametrize(
    ("rule", "decided"),
    [
        (StaffRule(decision="first"), "came"),
        (StaffRule(decision="no", after=HOUR), "no"),
        (StaffRule(decision="dance"), "open"),
    ],
)
def test_staff_follow_the_rule_and_what_is_not_offered_leaves_the_case_open(
    tmp_path: Path, rule: StaffRule, decided: str
):
    figures = played(journey(), known(tmp_path, GOLD), staff=rule, until=3 * DAY + 4 * HOUR)

    assert figures.cases == {("hosts", decided): 1}


def test_examples_are_one_of_each_way_of_ending_first_and_told_in_full(tmp_path: Path):
    figures = played(journey(), sorted_in(tmp_path, guests(70)), examples=3, until=40 * DAY)
    stories = figures.stories(3)

    assert [story.ended for story in stories[:2]] == ["lost", "again"]
    assert len(stories) == 3
    assert stories[0].trace[0].kind == "entered"
    assert stories[0].trace[-1].kind == "finished"


def test_the_report_is_the_same_whatever_the_number_of_processes(tmp_path: Path):
    tea, recording = journey(), sorted_in(tmp_path, guests(120))
    within = bounds(recording, examples=4)
    order = Order(canonical=tea.canonical, bounds=within, staff={"*": StaffRule(decision="first")})
    tasks, done = tasks_of(tea.program, recording), list[int]()

    alone = play_apart(order, tasks, 1)
    together = play_apart(
        order, tasks, 2, lambda task, _: done.append(task.part.touchpoints), pays_from=0
    )

    assert together == alone
    assert sum(done) == 160
    told = [as_plain(tea.program, each, within.begins, within.ends) for each in (alone, together)]
    assert told[0] == told[1]
    assert list(told[0]["why_not"]) == list(told[1]["why_not"])


def test_playing_all_together_gives_the_same_figures_as_one_by_one(tmp_path: Path):
    tea, recording = journey(), sorted_in(tmp_path, guests(120))
    within = bounds(recording)

    apart, kept = played(tea, recording), Kept()
    together = play_together(
        tea.program, recording, within, RecordedWorld({"email"}, {}), taker=kept
    )

    apart.example.clear()
    together.example.clear()
    assert together == apart
    assert len(kept.made.runs) == apart.runs == len({run.entry for run in kept.made.runs})


VAN = """
language: 1
journey: van
title: News of a van
owner: shop
enter: {on: Paid}
keep: {van: event.properties.van}
listen: {van: run.van}
whenever: [{on: Van Moved, do: [{send: {message: van-is-near, purpose: service}}]}]
stages:
  - stage: waiting
    steps: [{wait: {any: [{on: Delivered, do: [{finish: delivered}]}], until: 9d}}, {finish: lost}]
"""


def test_news_of_a_subject_reaches_all_who_listen_to_it(tmp_path: Path):
    van = journey(VAN)
    happened = [
        came("ann", "Paid", timedelta(0), van="v1"),
        came("bo", "Paid", timedelta(0), van="v1"),
        came("cy", "Paid", timedelta(0), van="v2"),
        came(None, "Van Moved", HOUR, subject={"kind": "van", "id": "v1"}),
        came("ann", "Delivered", 2 * DAY),
    ]
    recording = sorted_in(tmp_path, happened, entry_event="Paid")
    world = RecordedWorld({"email"}, {})

    figures = play_together(van.program, recording, bounds(recording), world)

    assert shares(van.program) == "runs listen to subjects"
    assert figures.deliveries == {("van-is-near", "accepted", ""): 2}
    assert figures.outcomes == {("delivered", False, False): 1, ("goes on", False, False): 2}
    assert figures.touchpoints == 5


def test_a_cap_on_entries_is_shared_by_all(tmp_path: Path):
    tea = journey(TEA.replace("again: after 7d", "cap: {per_day: 5}"))
    recording = sorted_in(tmp_path, guests(30))

    figures = play_together(tea.program, recording, bounds(recording), RecordedWorld({"email"}, {}))

    assert shares(tea.program) == "entries are capped"
    assert figures.entry_days[date(2026, 3, 2)] == 5
    assert figures.why_not["not entered", "as many as may enter had entered"] > 0


def test_what_was_made_has_numbers_of_its_own_and_the_same_each_time(tmp_path: Path):
    tea, recording = journey(), sorted_in(tmp_path, guests(70))
    kept, again = Kept(), Kept()
    played(tea, recording, kept=kept)
    played(tea, recording, kept=again)
    entries = [run.entry for run in kept.made.runs]

    assert kept.made == again.made
    assert len(set(entries)) == len(entries)
    assert max(entries) <= last_entry(tea.program, recording)
    assert {run.customer for run in kept.made.runs} <= {our_id(f"guest-{n}") for n in range(70)}
    assert [each.place for each in sorted(kept.made.touchpoints, key=lambda t: t.place)] == list(
        range(len(guests(70)))
    )


def test_a_customer_with_whom_it_goes_in_circles_is_named(tmp_path: Path):
    tea = journey()
    recording = sorted_in(tmp_path, [came("ann", "Tea Bought", timedelta(0), price=3.0)])
    within = replace(bounds(recording), most=1)
    player = PartBacktest(tea.program, within, lambda: RecordedWorld({"email"}, {}))

    with pytest.raises(BacktestStoppedError, match="Customer ann: More than 1 happenings"):
        player.play(tasks_of(tea.program, recording)[0])


def test_the_report_names_every_part_that_has_something_to_tell(tmp_path: Path):
    tea = journey()
    figures = played(tea, sorted_in(tmp_path, guests(70)), until=40 * DAY)

    told = report(tea.program, figures, NOON, NOON + 40 * DAY)
    firsts = [section.columns[0] for section in told.sections]

    assert told.headline == "tea: 94 touchpoints of 70 customers, 2026-03-02 to 2026-04-11"
    assert firsts == ["How it ended", "Which way they went", "Message", "Why not"]
    assert told.sections[0].columns[-2:] == ("spoken to", "held out")


def test_a_touchpoint_that_was_recorded_twice_counts_once(tmp_path: Path):
    one, kept = came("ann", "Tea Bought", timedelta(0), price=3.0), Kept()
    figures = played(journey(), sorted_in(tmp_path, [one, one]), kept=kept)

    assert figures.runs == 1
    assert figures.happenings["repeated"] == 1
    assert len(kept.made.touchpoints) == 1
