"""One batch of one customer's touchpoints, with runs that refuse, end, or cannot be known."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import JsonValue

from contracts.routing import (
    Fate,
    PendingBatch,
    PendingTouchpoint,
    PutBack,
    RoutedBatch,
    had_by,
    unwritten,
)
from journey.definition import canonical_json
from journey.program import Program, compile_program
from routing.customer_batch import CustomerBatch
from routing.signals import (
    RunClosedError,
    RunStart,
    RunsUnreachableError,
    SignalRefusedError,
    Told,
)
from routing.told_run import SIGNAL_BYTES, Arrived, ToldRun

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def program(**other: Any) -> Program:
    definition = {
        "language": 1,
        "journey": "cart",
        "title": "Help a customer finish",
        "owner": "growth",
        "enter": {"on": "Added", "when": "customer.tier == 'gold'", "again": "always"},
        "stages": [
            {
                "stage": "open",
                "steps": [
                    {"wait": {"any": [{"on": "Asked"}, {"on": "Added"}], "until": "1d"}},
                    {"finish": "done"},
                ],
            }
        ],
    }
    return compile_program(canonical_json(definition | other))


CART = program()


class Runs:
    """Keeps what each run was told; some refuse, some have ended."""

    def __init__(self, *, closed: Sequence[str] = (), refused: Sequence[str] = ()) -> None:
        self.closed, self.refused = closed, refused
        self.signals: list[tuple[str, list[Any]]] = []
        self.starts: list[RunStart] = []
        self.away = False

    async def signal(self, workflow_id: str, touchpoints: Sequence[Told]) -> None:
        if self.away:
            raise RunsUnreachableError("away")
        if workflow_id in self.closed:
            raise RunClosedError(workflow_id)
        ids = [touchpoint["message_id"] for touchpoint in touchpoints]
        if any(one in self.refused for one in ids):
            raise SignalRefusedError("exceeded workflow execution limit for signal events")
        self.signals.append((workflow_id, ids))

    async def start(self, start: RunStart) -> str:
        self.starts.append(start)
        return f"run-{len(self.starts)}"


def touchpoint(number: int, event: str = "Asked", **other: Any) -> PendingTouchpoint:
    given: dict[str, Any] = {
        "row": number,
        "touchpoint": number,
        "number": number,
        "arrival": number,
        "message_id": f"m{number}",
        "event": event,
        "occurred_at": NOON,
    }
    return PendingTouchpoint(**given | other)


def a_run(name: str = "run", **other: Any) -> ToldRun:
    given: dict[str, Any] = {"journey": "cart", "version": "v", "key": None, "program": CART}
    given |= {"entry": 1}
    given |= other
    return ToldRun(name, **given)


async def route(
    signals: Runs,
    *touchpoints: PendingTouchpoint,
    runs: Sequence[ToldRun] = (),
    profile: dict[str, JsonValue] | None = None,
) -> RoutedBatch:
    async def of_anna() -> dict[str, JsonValue]:
        return {"id": "c_anna", "zone": None, "tier": "gold"} if profile is None else profile

    batch = CustomerBatch("c_anna", runs=runs, live=[CART], profile=of_anna, signals=signals)
    return await batch.route(PendingBatch(touchpoints=touchpoints))


async def test_what_a_run_is_told_goes_in_as_few_signals_as_it_fits() -> None:
    runs = Runs()
    large = {"text": "x" * 60_000}
    told = [touchpoint(n, properties=large) for n in range(1, 11)]
    routed = await route(runs, *told, runs=[a_run()])

    assert [ids for _, ids in runs.signals] == [
        ["m1", "m2", "m3", "m4"],
        ["m5", "m6", "m7", "m8"],
        ["m9", "m10"],
    ]
    assert 4 * 60_000 < SIGNAL_BYTES < 5 * 60_000
    assert routed.signals == 3


async def test_a_refused_touchpoint_does_not_take_the_others_with_it() -> None:
    runs = Runs(refused=["m2"])
    routed = await route(runs, *(touchpoint(n) for n in (1, 2, 3)), runs=[a_run()])

    assert runs.signals == [("run", ["m1"]), ("run", ["m3"])]
    assert routed.fates[2][0]["fate"] == "refused"
    assert "limit" in str(routed.fates[2][0]["reason"])
    assert routed.rows == (1, 2, 3)


async def test_an_ended_run_gives_way_to_the_entry_that_came_with_it() -> None:
    runs = Runs(closed=["run"])
    batch = [touchpoint(1), touchpoint(2, "Added"), touchpoint(3)]
    routed = await route(runs, *batch, runs=[a_run()])

    assert routed.fates[1] == [{"fate": "too_late", "run": "run", "reason": "the run had ended"}]
    assert [start.touchpoint["message_id"] for start in runs.starts] == ["m2"]
    assert runs.signals == [("journey/cart/c_anna", ["m3"])]
    assert [run.workflow_id for run in routed.starting] == ["journey/cart/c_anna"]


async def test_a_run_of_an_unknown_version_is_told_everything() -> None:
    runs = Runs()
    await route(runs, touchpoint(1, "Never Heard Of"), runs=[a_run(program=None)])

    assert runs.signals == [("run", ["m1"])]


async def test_who_is_not_wanted_does_not_enter_and_it_is_said_why() -> None:
    runs = Runs()
    routed = await route(
        runs, touchpoint(1, "Added"), profile={"id": "c_anna", "zone": None, "tier": "tin"}
    )

    assert runs.starts == []
    assert routed.fates[1][0]["reason"] == "the entry condition does not hold"


async def test_a_condition_on_what_is_unknown_does_not_enter_and_it_is_said_why() -> None:
    runs = Runs()
    routed = await route(runs, touchpoint(1, "Added"), profile={"id": "c_anna", "zone": None})

    assert runs.starts == []
    assert routed.fates[1][0]["fate"] == "not_entered"


async def test_a_touchpoint_aimed_at_one_run_is_told_to_no_other_and_enters_nothing() -> None:
    runs = Runs()
    both = [a_run("one"), a_run("other", key="k", entry=2)]
    routed = await route(runs, touchpoint(1, "Added", run="other"), runs=both)

    assert runs.signals == [("other", ["m1"])]
    assert runs.starts == []
    assert routed.fates[1] == [{"fate": "signalled", "run": "other"}]


async def test_the_same_touchpoint_under_two_numbers_is_told_once_under_the_first() -> None:
    runs = Runs()
    again = touchpoint(9, "Asked", touchpoint=1, arrival=1, message_id="m1")
    routed = await route(runs, touchpoint(1, run="run"), again, runs=[a_run()])

    assert runs.signals == [("run", ["m1"])]
    assert len(routed.fates[1]) == 1


async def test_a_run_that_had_it_is_not_told_again() -> None:
    runs = Runs()
    had = touchpoint(1, run="run", had_by=frozenset({"run"}))
    routed = await route(runs, had, runs=[a_run()])

    assert runs.signals == []
    assert routed.fates == {}


async def test_what_was_put_back_for_a_run_that_is_over_keeps_that_as_its_fate() -> None:
    routed = await route(Runs(), touchpoint(1, run="another"), runs=[])

    assert routed.fates[1] == [
        {"fate": "too_late", "run": "another", "reason": "the run had ended"}
    ]


async def test_what_was_put_back_and_ignored_before_is_not_said_to_be_ignored_twice() -> None:
    routed = await route(Runs(), touchpoint(1, "Slept", run="run", fated=True), runs=[a_run()])

    assert routed.fates == {}


async def test_a_renumbered_touchpoint_says_under_which_number_it_went() -> None:
    routed = await route(Runs(), touchpoint(9, arrival=4), runs=[a_run()])

    assert routed.fates[9] == [{"fate": "signalled", "run": "run", "number": 9}]


async def test_nothing_is_done_with_when_runs_cannot_be_reached() -> None:
    runs = Runs()
    runs.away = True

    with pytest.raises(RunsUnreachableError):
        await route(runs, touchpoint(1), runs=[a_run()])


async def test_which_library_sent_it_is_kept_out_of_histories() -> None:
    sent = touchpoint(1, context={"library": {"name": "analytics.js"}, "page": {"path": "/"}})

    assert Arrived([sent]).told["context"] == {"page": {"path": "/"}}
    assert "context" not in Arrived([touchpoint(2, context={"library": {}})]).told


@pytest.mark.parametrize(
    ("journey", "why"),
    [("cart", "a run is under way already"), ("basket", "the journey is not live")],
)
async def test_who_asked_for_an_entry_that_nobody_got_hears_why(journey: str, why: str) -> None:
    said: dict[str, JsonValue] = {"journey": journey, "asked_by": "journey/trip/c_anna:1:2"}

    asked = touchpoint(1, "$enter", properties=said)
    routed = await route(Runs(), asked, runs=[a_run("journey/cart/c_anna")])

    assert routed.not_started == {"journey/trip/c_anna:1:2": why}


async def test_who_is_handed_back_by_the_run_that_is_under_way_hears_so() -> None:
    said: dict[str, JsonValue] = {"journey": "cart", "asked_by": "journey/trip/c_anna:1:2"}
    run = a_run("journey/cart/c_anna")

    asked = touchpoint(1, "$enter", properties=said, run=run.workflow_id)
    routed = await route(Runs(), asked, runs=[run])

    assert routed.not_started == {"journey/trip/c_anna:1:2": "a run is under way already"}


async def test_who_was_let_in_hears_nothing_else_when_the_asking_is_put_back() -> None:
    """Admission puts back what its customer had since, also what the run was begun with."""
    said: dict[str, JsonValue] = {"journey": "cart", "asked_by": "journey/trip/c_anna:1:2"}
    run = a_run("journey/cart/c_anna")

    had_by = frozenset([run.workflow_id])
    again = touchpoint(1, "$enter", properties=said, run=run.workflow_id, had_by=had_by)
    routed = await route(Runs(), again, runs=[run])

    assert (routed.not_started, routed.fates) == ({}, {})


@pytest.mark.parametrize("times", [1, 2])
async def test_what_a_run_handed_back_before_it_was_written_is_not_told_twice_to_the_next(
    times: int,
) -> None:
    handed_back: list[Fate] = [{"fate": "handed_back", "run": "run"}] * times
    assert unwritten(handed_back) == ("run",) * times

    again = touchpoint(1, unwritten=unwritten(handed_back))
    routed = await route(Runs(), again, runs=[a_run()])

    written = [*handed_back, *routed.fates[again.touchpoint]]
    assert had_by(written) == {"run"}
    assert unwritten(written) == ()


async def test_what_a_run_entered_by_is_said_once_also_where_it_is_aimed_at_another_under_a_new_number() -> (
    None
):
    runs = Runs()
    first = touchpoint(1, "Added")
    again = touchpoint(3, "Added", touchpoint=1, arrival=1, message_id="m1", run="other")
    entered, other = (
        a_run(entering="m1"),
        a_run("other", journey="other", put_back=PutBack(numbers={1: 3})),
    )

    routed = await route(runs, first, again, runs=[entered, other])

    assert runs.signals == [("other", ["m1"])]
    assert routed.fates[1] == [
        {"fate": "entered", "run": "run", "journey": "cart"},
        {"fate": "signalled", "run": "other", "number": 3},
    ]


async def test_a_run_is_not_told_once_more_what_it_is_begun_with() -> None:
    runs, over = Runs(), "journey/cart/c_anna"
    first = touchpoint(1, "Added", run=over)
    again = touchpoint(5, "Added", touchpoint=1, arrival=1, message_id="m1", run=over)

    routed = await route(runs, first, again)

    assert [start.touchpoint["number"] for start in runs.starts] == [1]
    assert runs.signals == []
    assert routed.fates[1] == [{"fate": "entered", "run": over, "journey": "cart"}]


async def test_what_was_put_back_under_a_new_number_is_not_told_under_the_old_one() -> None:
    runs = Runs()

    await route(runs, touchpoint(1), touchpoint(2), runs=[a_run(put_back=PutBack(numbers={1: 7}))])

    assert runs.signals == [("run", ["m2"])]


async def test_a_run_has_nothing_that_was_routed_before_it_was_begun_by_a_router_that_ended() -> (
    None
):
    runs = Runs()
    before, first, after = touchpoint(1), touchpoint(2, "Added"), touchpoint(3)
    begun = a_run(entering="m2", put_back=PutBack(numbers={2: 2, 3: 3}, entered_under=2))

    routed = await route(runs, before, first, after, runs=[begun])

    assert runs.signals == [("run", ["m3"])]
    assert routed.fates[1] == [{"fate": "ignored"}]


@pytest.mark.parametrize(
    ("over", "had_by", "fates"),
    [
        ("gone", frozenset[str](), [{"fate": "too_late", "run": "gone", "reason": "the run had ended"}]),
        ("gone", frozenset({"gone"}), None),
        ("run", frozenset[str](), None),
    ],
    ids=["over", "had it", "under way"],
)  # fmt: skip
async def test_that_a_run_was_over_is_said_also_where_it_is_written_already_that_nobody_wanted_it(
    over: str, had_by: frozenset[str], fates: list[Fate] | None
) -> None:
    aimed = touchpoint(1, "Nobody knows", run=over, had_by=had_by, fated=True)

    routed = await route(Runs(), aimed, runs=[a_run()])

    assert routed.fates.get(1) == fates
