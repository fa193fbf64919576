from datetime import timedelta

import pytest

from insight.rehearsal import EndlessRehearsalError
from insight.rehearsal_world import Decided
from tests.unit.insight.shop import NOON, ShopWorld, comes, order, paid

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def test_a_customer_enters_and_what_comes_later_moves_their_run():
    rehearsed = order(ShopWorld()).run([paid(), comes("Delivered", after=HOUR, order="o1")])
    run = rehearsed.runs["journey/order/ann/o1"]

    assert run.outcome == "delivered"
    assert run.ended_at == NOON + HOUR
    assert rehearsed.fates == {"entered": 1, "signalled": 1}


def test_the_order_of_feeding_does_not_matter_only_time_does():
    later_first = [comes("Delivered", after=HOUR, order="o1"), paid()]

    assert order(ShopWorld()).run(later_first).runs["journey/order/ann/o1"].outcome == "delivered"


def test_a_message_id_counts_once():
    moved = comes("Van Moved", None, HOUR, van="v1", message_id="m1", until="2026-03-03T00:00:00Z")
    rehearsed = order(ShopWorld()).run([paid(), moved, moved], NOON + DAY)

    assert rehearsed.fates["repeated"] == 1
    assert len(rehearsed.deliveries) == 1


def test_a_subject_reaches_all_who_listen_to_it_and_nobody_else():
    moved = comes("Van Moved", None, HOUR, van="v1", until="2026-03-03T00:00:00Z")
    rehearsed = order(ShopWorld()).run(
        [paid("ann"), paid("bo"), paid("cy", van="v2"), moved], NOON + DAY
    )

    assert sorted(d.customer for d in rehearsed.deliveries.values()) == ["ann", "bo"]


def test_who_comes_to_listen_later_hears_what_was_told_since_they_entered():
    moved = comes("Van Moved", None, HOUR, van="v2", until="2026-03-04T00:00:00Z")
    before = comes("Van Moved", None, -HOUR, van="v2", until="2026-03-04T00:00:00Z")
    changed = comes("Van Changed", "ann", 2 * HOUR, van="v2")
    changed.touchpoint.properties.update({"order": "o1", "van": "v2"})
    rehearsed = order(ShopWorld()).run([before, paid(), moved, changed], NOON + DAY)

    assert [d.asked_at for d in rehearsed.deliveries.values()] == [NOON + 2 * HOUR]


def test_a_message_past_its_moment_is_dropped_with_the_reason():
    moved = comes("Van Moved", None, HOUR, van="v1", until="2026-03-02T13:00:01Z")
    rehearsed = order(ShopWorld()).run([paid(), moved], NOON + DAY)
    (delivery,) = rehearsed.deliveries.values()

    assert (delivery.state, delivery.reason) == ("refused", "expired")
    assert "the van went on" in delivery.words


def test_a_message_to_somebody_without_an_address_is_unreachable():
    moved = comes("Van Moved", None, HOUR, van="v1", until="2026-03-03T00:00:00Z")
    rehearsed = order(ShopWorld()).run([paid("nowhere"), moved], NOON + DAY)

    assert [d.reason for d in rehearsed.deliveries.values()] == ["unreachable"]


def test_a_message_that_the_customers_exit_overtakes_does_not_leave():
    moved = comes("Van Moved", None, HOUR, van="v1", until="2026-03-03T00:00:00Z")
    cancelled = comes("Order Cancelled", after=HOUR + timedelta(seconds=1), order="o1")
    rehearsed = order(ShopWorld()).run([paid(), moved, cancelled])
    (delivery,) = rehearsed.deliveries.values()

    assert (delivery.state, delivery.reason) == ("refused", "left")


def test_staff_decide_and_the_decision_picks_the_path():
    world = ShopWorld("refund")
    rehearsed = order(world).run([paid()])
    (case,) = rehearsed.cases.values()

    assert case.case.startswith("case/journey/order/ann/o1:1:")
    assert (case.state, case.decision) == ("resolved", "refund")
    assert rehearsed.runs["journey/order/ann/o1"].outcome == "refunded"
    assert world.followed == [case.case]


def test_a_case_nobody_decides_is_escalated_and_stays_open():
    rehearsed = order(ShopWorld(None)).run([paid()], NOON + 3 * DAY)
    (case,) = rehearsed.cases.values()

    assert (case.state, case.queue) == ("open", "leads")
    assert rehearsed.runs["journey/order/ann/o1"].outcome is None


def test_somebody_else_may_decide_a_case_and_it_is_decided_once():
    rehearsal = order(ShopWorld(None))
    rehearsed = rehearsal.run([paid()], NOON + 3 * DAY)
    (case,) = rehearsed.cases
    decided = Decided(after=timedelta(0), decision="refund", by="you")

    assert rehearsal.decide_case(case, decided, NOON + 3 * DAY)
    assert not rehearsal.decide_case(case, decided, NOON + 3 * DAY)
    rehearsal.go_on()
    assert rehearsed.runs["journey/order/ann/o1"].outcome == "refunded"
    assert rehearsed.cases[case].by == "you"


def test_a_case_is_closed_when_the_customer_leaves():
    gone = comes("Order Cancelled", after=3 * DAY, order="o1")
    rehearsed = order(ShopWorld(None)).run([paid(), gone])

    assert [case.state for case in rehearsed.cases.values()] == ["closed"]


def test_entering_again_follows_the_journeys_rule():
    stream = [
        paid(),
        comes("Delivered", after=HOUR, order="o1"),
        paid(after=2 * DAY),
        paid(after=8 * DAY),
        paid(after=2 * DAY, key="o2"),
    ]
    rehearsed = order(ShopWorld()).run(stream)

    assert rehearsed.fates["not_entered"] == 1
    assert rehearsed.fates["entered"] == 3
    assert len(list(rehearsed.all_runs())) == 3


def test_what_nobody_listens_to_is_ignored():
    rehearsed = order(ShopWorld()).run([paid(), comes("Newsletter Read", after=HOUR)], NOON + DAY)

    assert rehearsed.fates["ignored"] == 1
    assert rehearsed.fates["signalled"] == 0


def test_it_goes_on_step_by_step_to_the_same_end():
    def stream():
        return [paid("ann"), paid("bo", HOUR), comes("Delivered", "bo", 3 * HOUR, order="o1")]

    whole = order(ShopWorld()).run(stream())
    rehearsal = order(ShopWorld())
    rehearsal.feed(stream())
    for hours in range(100):
        rehearsal.go_on(NOON + hours * HOUR)
    stepped = rehearsal.go_on()

    assert list(stepped.trace()) == list(whole.trace())
    assert stepped.deliveries == whole.deliveries


def test_time_never_goes_back_in_a_run():
    stream = [paid(), comes("Delivered", after=HOUR, order="o1"), paid(after=9 * DAY)]
    rehearsed = order(ShopWorld("look-again")).run(stream, NOON + 30 * DAY)

    for run in rehearsed.all_runs():
        assert [entry.at for entry in run.trace] == sorted(entry.at for entry in run.trace)


def test_a_world_that_goes_in_circles_is_stopped_with_words():
    bounded = order(ShopWorld("look-again"), most=200)

    with pytest.raises(EndlessRehearsalError, match="200"):
        bounded.run([paid()])
