from collections.abc import Sequence

from examples.flight.account import (
    Account,
    CaseRow,
    DeliveryRow,
    PromiseRow,
    RunRow,
    account,
)
from examples.flight.day import Day
from examples.flight.naive import WRONG, naive
from insight.rehearsed import Rehearsed


def drawn(
    runs: list[RunRow],
    deliveries: Sequence[DeliveryRow] = (),
    promises: Sequence[PromiseRow] = (),
    cases: Sequence[CaseRow] = (),
) -> Account:
    return account(
        passengers=["ann", "bo", "cy"],
        runs=runs,
        deliveries=deliveries,
        promises=promises,
        cases=cases,
        touchpoints=0,
        seconds=1.0,
    )


EVERYONE = [
    RunRow(user_id="ann", outcome="arrived"),
    RunRow(user_id="bo", with_staff=True),
    RunRow(user_id="cy"),
]


def test_it_balances_when_everyone_is_somewhere():
    told = drawn(EVERYONE)

    assert told.balance()
    assert (told.finished, told.travelling, told.with_staff) == (1, 1, 1)


def test_it_does_not_balance_when_somebody_is_missing():
    told = drawn(EVERYONE[:2])

    assert not told.balance()
    assert told.as_json()["missing"] == ["cy"]


def test_two_runs_of_one_do_not_make_up_for_none_of_another():
    told = drawn([*EVERYONE[:2], RunRow(user_id="ann")])

    assert told.finished + told.travelling + told.with_staff == told.passengers
    assert not told.balance()
    assert (told.twice, told.missing) == (["ann"], ["cy"])


def test_a_stranger_or_a_stuck_run_shows():
    assert not drawn([*EVERYONE, RunRow(user_id="dee")]).balance()
    assert not drawn([*EVERYONE[:2], RunRow(user_id="cy", stuck=True)]).balance()


def test_messages_and_promises_are_counted_with_their_reasons():
    told = drawn(
        EVERYONE,
        deliveries=[
            DeliveryRow(user_id="ann", message="carousel", state="accepted"),
            DeliveryRow(user_id="bo", message="check-in", state="refused", reason="condition"),
            DeliveryRow(user_id="cy", message="flight-delayed", state="refused", reason="expired"),
            DeliveryRow(
                user_id="ann",
                message="bag-on-board",
                state="refused",
                reason="expired",
                words="landed 14:02",
            ),
            DeliveryRow(user_id="cy", message="carousel", state="unknown"),
        ],
        promises=[
            PromiseRow(name="departure", state="late", reason="not kept by 2013-02-08 15:10 UTC"),
            PromiseRow(name="departure", state="late", reason="not kept by 2013-02-08 17:10 UTC"),
        ],
        cases=[CaseRow(queue="baggage", state="resolved", decision="follows-later")],
    ).as_json()

    assert told["deliveries"] == {"expired": 2, "condition": 1, "sent": 1, "unknown": 1}
    assert told["promises"] == {"departure": {"late": 2}}
    assert told["promise_reasons"] == {"late": {"not kept": 2}}
    assert told["case_decisions"] == {"baggage: follows-later": 1}
    assert told["why_not"] == "bag message dropped: landed 14:02"


def test_run_naively_the_storm_misleads_people_and_the_calm_day_hardly_about_cancellations(
    storm: tuple[Day, Rehearsed], calm: tuple[Day, Rehearsed]
):
    bad, good = naive(storm[0]), naive(calm[0])

    assert bad.wrong["hurried_to_cancelled"] > 50
    assert bad.wrong["bag_after_landing"] > 0
    assert good.wrong["hurried_to_cancelled"] == 0
    assert "had been cancelled" in bad.example
    assert bad.as_json()["wrong"].keys() == WRONG.keys()
    assert bad.sent > bad.wrong.total()
