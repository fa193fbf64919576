"""`whenever` runs whatever the stage is doing, one at a time, and misses nothing."""

from datetime import timedelta

from journey.effects import Deliver
from tests.unit.journey.story import NOON, Run, deferred, entered, on, program

SEND = "{send: {message: told, purpose: service}}"


def reacting(whenever: str, *, busy: tuple[type, ...] = (), **parts: str) -> Run:
    return entered(on("wait: 9d", "finish: done", whenever=f"[{whenever}]", **parts), busy=busy)


def test_a_reaction_runs_while_the_stage_waits_and_leaves_it_where_it_was() -> None:
    anna = reacting(f"{{on: Asked, do: [{SEND}]}}").does("Asked").does("Asked")

    assert anna.messages == ["told", "told"]
    assert anna.wakes_at == NOON + timedelta(days=9)


def test_a_reaction_and_a_wait_may_both_be_met_by_one_touchpoint() -> None:
    journey = on(
        "wait: {any: [{on: Asked}], until: 1d}",
        "finish: asked",
        whenever="[{on: Asked, do: [{set: {run.a: '1'}}]}]",
    )

    anna = entered(journey).does("Asked")

    assert anna.outcome == "asked"


def test_what_comes_while_a_reaction_runs_waits_its_turn() -> None:
    anna = reacting(f"{{on: Asked, do: [{SEND}]}}", busy=(Deliver,))
    for number in range(3):
        anna.does("Asked", order=number)
    assert anna.messages == ["told"]

    anna.answers(anna.deliveries[0])
    anna.answers(anna.deliveries[1])
    anna.answers(anna.deliveries[2])

    assert [sent["event"]["properties"]["order"] for sent in anna.message_values] == [0, 1, 2]


def test_two_reactions_run_side_by_side() -> None:
    anna = reacting(f"{{on: Asked, do: [{SEND}]}}, {{on: Told, do: [{SEND}]}}", busy=(Deliver,))

    anna.does("Asked").does("Told")

    assert len(anna.messages) == 2


TOTAL = "{on: Added, do: [{set: {run.total: event.properties.total}}]}"


def rising(more: str = "", do: str = SEND) -> Run:
    return reacting(
        f"{TOTAL}, {{when: run.total > 100{more}, do: [{do}]}}",
        keep="{total: '0'}",
        busy=(Deliver,),
    )


def test_a_condition_reacts_when_it_becomes_true_and_not_while_it_is() -> None:
    anna = rising()
    for total in (50, 150, 200, 250):
        anna.does("Added", total=total)

    assert anna.messages == ["told"]


def test_a_condition_reacts_again_once_it_was_false_between() -> None:
    anna = rising().does("Added", total=150)
    anna.answers(anna.deliveries[0])

    anna.does("Added", total=50).does("Added", total=150)

    assert anna.messages == ["told", "told"]


def test_a_condition_that_comes_true_again_meanwhile_reacts_when_the_reaction_is_done() -> None:
    anna = rising()
    anna.does("Added", total=150).does("Added", total=50).does("Added", total=150)
    assert anna.messages == ["told"], "one at a time"

    anna.answers(anna.deliveries[0])

    assert anna.messages == ["told", "told"]


def test_a_condition_that_holds_at_entry_reacts_at_entry() -> None:
    journey = on(
        "wait: 9d", "finish: done", whenever=f"[{{when: customer.vip == true, do: [{SEND}]}}]"
    )

    assert entered(journey, traits={"vip": True}).messages == ["told"]
    assert entered(journey, traits={"vip": False}).messages == []


def test_a_condition_follows_the_customers_traits() -> None:
    journey = on(
        "wait: 9d", "finish: done", whenever=f"[{{when: customer.vip == true, do: [{SEND}]}}]"
    )
    anna = entered(journey, traits={"vip": False})

    anna.becomes(vip=True)

    assert anna.messages == ["told"]


def test_a_condition_that_cannot_be_told_does_not_react_and_that_is_noted() -> None:
    anna = rising().does("Added", total="many")

    assert anna.messages == []
    assert any(why.startswith("condition_error") for why in anna.why)


def test_settling_reacts_once_to_the_last() -> None:
    anna = reacting(f"{{on: Delayed, settle: 5m, do: [{SEND}]}}")
    for minutes in (0, 2, 2):
        anna.after(minutes=minutes)
        anna.does("Delayed", by=minutes + anna.came)
    assert anna.messages == []
    assert anna.wakes_at == NOON + timedelta(minutes=9)

    anna.after(minutes=5)

    assert [sent["event"]["properties"]["by"] for sent in anna.message_values] == [4]


def test_settling_after_an_outage_reacts_once_to_the_last() -> None:
    anna = reacting(f"{{on: Delayed, settle: 5m, do: [{SEND}]}}, {{on: Other, do: [{SEND}]}}").does(
        "Delayed", by=1
    )
    anna.outage(hours=1)

    anna.together(anna.told("Other"), anna.told("Delayed", by=2))
    anna.after(minutes=5)

    told = [sent["event"] for sent in anna.message_values]
    assert [event["name"] for event in told] == ["Other", "Delayed"]
    assert told[1]["properties"]["by"] == 2


def test_a_condition_that_does_not_last_does_not_react() -> None:
    anna = rising(", settle: 5m").does("Added", total=150)
    anna.after(minutes=2)
    anna.does("Added", total=50)
    anna.after(hours=1)
    assert anna.messages == []

    anna.does("Added", total=150)
    anna.after(minutes=5)
    assert anna.messages == ["told"]


def test_what_settles_while_the_reaction_still_runs_waits_its_turn() -> None:
    anna = rising(", settle: 5m").does("Added", total=150)
    anna.after(minutes=5)
    anna.does("Added", total=50).does("Added", total=150)
    anna.after(hours=1)
    assert anna.messages == ["told"]

    anna.answers(anna.deliveries[0])
    assert anna.messages == ["told", "told"]


ELSEWHERE = """
whenever: [{on: Cancelled, do: [{go: cancelled}]}]
stages:
  - stage: booked
    steps: [{send: {message: hello, purpose: service}}, {wait: 3d}, {finish: flown}]
  - stage: cancelled
    steps:
      - wait: {any: [{on: Rebooked, do: [{finish: rebooked}]}, {on: Cancelled, do: [{finish: twice}]}], until: 1d}
      - finish: alone
"""


def test_a_reaction_takes_the_run_to_another_stage() -> None:
    anna = entered(program(ELSEWHERE)).does("Cancelled")

    assert anna.stage == "cancelled"
    assert anna.outcome is None, "what took the run there does not meet the wait there"
    assert len(anna.state.threads) == 1
    assert anna.does("Rebooked").outcome == "rebooked"


def test_what_came_after_it_in_the_same_drain_meets_the_wait_there() -> None:
    anna = entered(program(ELSEWHERE))

    anna.together(anna.told("Cancelled"), anna.told("Rebooked"))

    assert anna.outcome == "rebooked"


def test_going_elsewhere_drops_a_deferred_message() -> None:
    anna = entered(program(ELSEWHERE), busy=(Deliver,))
    anna.answers(anna.deliveries[0], deferred(NOON + timedelta(hours=9)))
    anna.does("Cancelled")
    anna.after(hours=20)

    assert anna.messages == ["hello"]
    assert anna.state.outstanding == {}


def test_reactions_that_set_each_other_off_are_stopped_and_the_run_says_so() -> None:
    tick = "{when: run.n % 2 == 0, do: [{set: {run.n: run.n + 1}}]}"
    tock = "{when: run.n % 2 == 1, do: [{set: {run.n: run.n + 1}}]}"
    anna = reacting(f"{tick}, {tock}", keep="{n: '0'}")

    assert anna.stopped is not None
    assert "steps without a wait" in anna.stopped
