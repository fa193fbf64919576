"""The judge of a killed installation sees each thing that must not be, and nothing where all is well."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest

from contracts.evidence import (
    Outside,
    Seen,
    SeenArrival,
    SeenDelivery,
    SeenRun,
    SeenTouchpoint,
    Told,
    ToldRun,
)
from contracts.routing import Fate
from insight.invariants import Broken, check
from journey.touchpoint import HOLD_LIFTED, TRAITS_CHANGED

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
RUN = "journey/flight/c_anna/PNR7"
FLIGHT = ("flight", "UA1")


class World(NamedTuple):
    seen: Seen
    told: ToldRun
    outside: Outside


def fate(name: str = "signalled") -> Fate:
    return {"fate": name, "run": RUN}


def touchpoint(number: int, event: str, *, about: bool = False) -> SeenTouchpoint:
    return SeenTouchpoint(
        touchpoint=number,
        message_id=f"m{number}",
        event=event,
        received_at=NOON + timedelta(seconds=number),
        customer=None if about else "c_anna",
        subject=FLIGHT if about else None,
    )


def arrival(number: int, *fates: Fate) -> SeenArrival:
    given = fates or (fate(),)
    return SeenArrival(customer="c_anna", number=number, touchpoint=number, fates=given)


EVENTS = ("Booked", "Checked In", "Delayed", "Boarded")


def well() -> World:
    """Anna booked, checked in, heard that her flight is late, and boarded; she waits to land."""
    touchpoints = [touchpoint(n, name, about=n == 3) for n, name in enumerate(EVENTS, start=1)]
    run = SeenRun(
        entry=1,
        workflow_id=RUN,
        first_run_id="r1",
        version="v1",
        customer="c_anna",
        open=True,
        since=NOON,
        wakes_at=NOON + timedelta(hours=3),
        listens=frozenset({FLIGHT}),
    )
    seen = Seen(
        at=NOON,
        runs=(run,),
        touchpoints=tuple(touchpoints),
        arrivals=(arrival(1, fate("entered")), arrival(2), arrival(3), arrival(4)),
        deliveries=(SeenDelivery(key="k1", state="accepted"),),
    )
    told = tuple(
        Told(message_id=f"m{n}", event=name, number=n) for n, name in enumerate(EVENTS, start=1)
    )
    outside = Outside(
        acknowledged=("m1", "m2", "m3", "m4"),
        mails={"k1": 1},
        events={"v1": frozenset(EVENTS[1:])},
        open_workflows=frozenset({RUN}),
    )
    told_run = ToldRun(workflow_id=RUN, first_run_id="r1", open=True, told=told, applied=4)
    return World(seen, told_run, outside)


def judged(world: World) -> Broken:
    return check(
        world.seen,
        [world.told],
        world.outside,
        run_now=NOON + timedelta(hours=1),
        late=timedelta(minutes=5),
    )


def seen(**other: object) -> Callable[[World], World]:
    return lambda world: world._replace(seen=replace(world.seen, **other))


def run(**other: object) -> Callable[[World], World]:
    return lambda world: world._replace(
        seen=replace(world.seen, runs=(replace(world.seen.runs[0], **other),))
    )


def told(**other: object) -> Callable[[World], World]:
    return lambda world: world._replace(told=replace(world.told, **other))


def outside(**other: object) -> Callable[[World], World]:
    return lambda world: world._replace(outside=replace(world.outside, **other))


def arrivals(place: int, *instead: SeenArrival) -> Callable[[World], World]:
    def without(world: World) -> World:
        kept = list(world.seen.arrivals)
        kept[place : place + 1] = instead
        return world._replace(seen=replace(world.seen, arrivals=tuple(kept)))

    return without


def never_told(change: Callable[[World], World]) -> Callable[[World], World]:
    """Also, the run has no word of the second touchpoint."""
    others = (*well().told.told[:1], *well().told.told[2:])
    return lambda world: told(told=others, applied=3)(change(world))


def test_where_all_is_well_nothing_is_broken() -> None:
    broken = judged(well())

    assert broken == Broken()
    assert broken.nothing


def test_a_run_told_twice_of_the_same_touchpoint_counts_it_once() -> None:
    world = well()
    again = (*world.told.told[:2], *world.told.told[:2], *world.told.told[2:])

    assert judged(told(told=again)(world)).nothing


@pytest.mark.parametrize("event", [TRAITS_CHANGED, HOLD_LIFTED])
def test_what_a_run_takes_in_without_counting_it_is_not_lost(event: str) -> None:
    world = seen(
        touchpoints=(*well().seen.touchpoints, touchpoint(5, event)),
        arrivals=(*well().seen.arrivals, arrival(5)),
    )(well())
    news = Told(message_id="m5", event=event, number=5)

    assert judged(told(told=(*world.told.told, news))(world)).nothing


def test_what_came_when_the_run_had_ended_is_not_lost() -> None:
    world = arrivals(3, arrival(4, fate("too_late")))(well())
    world = run(open=False, wakes_at=None, listens=frozenset())(world)
    world = told(open=False, told=world.told.told[:3], applied=3)(world)

    assert judged(outside(open_workflows=frozenset())(world)).nothing


def test_what_came_between_a_run_and_the_next_of_the_same_id_is_not_lost() -> None:
    world = arrivals(1, arrival(2, fate("no_listener")))(well())
    [run] = world.seen.runs
    ended = replace(run, entry=1, first_run_id="r0", open=False, listens=frozenset())
    begun = replace(run, entry=2, since=NOON + timedelta(seconds=3))
    world = world._replace(seen=replace(world.seen, runs=(ended, begun)))

    assert judged(world).lost == []


def test_what_a_router_told_and_never_wrote_is_not_lost() -> None:
    assert judged(arrivals(1, arrival(2, {"fate": "ignored"}))(well())).nothing


def test_what_a_run_may_have_been_told_is_in_doubt_and_not_lost() -> None:
    perhaps: Fate = {"fate": "perhaps", "run": RUN, "entry": 1}

    assert judged(never_told(arrivals(1, arrival(2, perhaps)))(well())).nothing
    of_another = arrivals(1, arrival(2, perhaps | {"entry": 7}))
    assert judged(never_told(of_another)(well())).lost == ["m2: run 1 listens and was not told"]


def test_what_its_customer_heard_of_a_subject_later_is_not_asked_of_a_run_that_is_over() -> None:
    world = seen(
        touchpoints=(
            *well().seen.touchpoints,
            *(touchpoint(n, "Delayed", about=True) for n in (5, 6)),
        ),
        arrivals=(*well().seen.arrivals, arrival(6, {"fate": "ignored"})),
    )(well())
    world = told(open=False)(run(open=False, wakes_at=None, listens=frozenset())(world))

    broken = judged(outside(open_workflows=frozenset())(world))

    assert broken.lost == []


def test_what_one_version_refused_and_the_next_one_counted_was_told_once() -> None:
    again = Told(message_id="m4", event="Boarded", number=9)
    world = told(told=(*well().told.told, again))(well())

    assert judged(run(moved=True)(world)).twice == []
    assert judged(world).twice == [f"m4: told to {RUN} under several numbers"]


def test_a_run_that_ends_while_one_looks_is_not_stuck() -> None:
    world = told(open=False)(well())

    assert judged(
        outside(open_workflows=frozenset(), ended_meanwhile=frozenset({1}))(world)
    ).nothing
    assert not judged(outside(open_workflows=frozenset())(world)).nothing


def test_a_touchpoint_that_was_handed_back_and_began_the_next_run_was_given_once() -> None:
    again = (fate(), fate("handed_back"), fate("entered"))

    assert judged(arrivals(3, arrival(4, *again))(well())).nothing


def test_a_delivery_of_which_nobody_can_tell_is_unknown_and_not_a_fault() -> None:
    doubtful = seen(deliveries=(SeenDelivery(key="k1", state="accepted", uncertain=True),))
    broken = judged(outside(mails={"k1": 2})(doubtful(well())))

    assert broken.nothing
    assert broken.unknown == ["k1"]


def test_what_comes_while_a_run_is_at_its_last_acts_is_not_its_own() -> None:
    assert judged(told(applied=3, ending=True)(well())).nothing


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        (outside(acknowledged=("m1", "m9")), "lost", "m9: acknowledged"),
        (arrivals(1), "lost", "m2: never routed"),
        (arrivals(2), "lost", "m3: run 1 listens to UA1"),
        (arrivals(1, SeenArrival(customer="c_anna", number=2, touchpoint=2)), "lost", "no fate"),
        (never_told(arrivals(1, arrival(2, {"fate": "ignored"}))), "lost", "m2: run 1 listens"),
        (told(told=well().told.told[:3], applied=3), "lost", "m4: said to be given"),
        (told(applied=3), "lost", "told 1 that it did not apply"),
        (told(told=(*well().told.told[:2], *well().told.told[:1:-1])), "lost", "after number 4"),
        (arrivals(1, arrival(2, fate(), fate())), "twice", "m2: given 2 times"),
        (told(applied=5), "twice", "applied 1 more"),
        (outside(mails={"k1": 2}), "mailed_twice", "k1: 2 mails"),
        (outside(mails={}), "unmailed", "k1: accepted"),
        (run(needs_attention="no such message"), "stuck", "no such message"),
        (run(wakes_at=None), "stuck", "waits for nothing"),
        (run(wakes_at=NOON), "stuck", "was to wake"),
        (told(open=False), "stuck", "open in the record"),
        (told(applied=None), "stuck", "does not answer"),
        (told(failing="its workflow task is at attempt 9"), "stuck", "attempt 9"),
        (outside(open_workflows=frozenset({RUN, "journey/x"})), "stuck", "journey/x: under way"),
        (seen(pending=2), "left", "2 touchpoints in the outbox"),
        (seen(leases=1), "left", "1 units leased"),
        (seen(deliveries=(SeenDelivery(key="k2", state="intended"),)), "left", "k2: intended"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_must_not_be_is_seen(change: Callable[[World], World], kind: str, words: str) -> None:
    broken = judged(change(well()))

    assert not broken.nothing
    assert any(words in each for each in getattr(broken, kind)), broken
