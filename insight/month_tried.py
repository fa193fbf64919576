"""The last weeks of an installation, played through a definition that is not published, and through the live one."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from contracts.recorded_past import PastCustomer, PastSize, PastSpan, PastTouchpoint
from insight.backtest import shares
from insight.backtest_customers import Bounds
from insight.backtest_figures import GOES_ON, Figures
from insight.backtest_whole import Circumstances, play_recording
from insight.backtest_world import House, channels_of
from insight.recorded_touchpoints import Recorded
from insight.rehearsal_world import Wishes
from insight.sorted_recording import PARTS, KnownCustomer, SortedRecording
from insight.tried import Measure, MonthOrder, MonthTried, Part, Row, definition_of
from journey.entry_looks import entry_kind
from journey.house_policy import HousePolicy
from journey.publication import Publishable

MOST_CUSTOMERS = 5_000
MOST_TOUCHPOINTS = 100_000
MOST_BYTES = 64_000_000
"""Of touchpoints, on disk: a container's /tmp has 256 MB, and two members may try at once."""

_NEVER_MORE = 4
"""So many times what was aimed at, the sample is refused: too much of it is of a few."""

_SURE = 1.97
"""Standard deviations within which 19 in 20 of 256 groups lie."""

MOST_REASONS = 12

PARTS_IN_ORDER: tuple[Part, ...] = ("enters", "sent", "held", "ends", "cases", "kept_out", "fails")
_FAILS = ("failed at", "condition_error at", "stopped at", "cannot go on")

Key = tuple[Part, str, str]


class TooMuchToTryError(RuntimeError):
    """It is too much to be played here; the message says what to do instead."""


class Past(Protocol):
    """What an installation remembers; `stores.recorded_past` says what each guarantees."""

    def size(self) -> PastSize: ...
    def policy(self) -> HousePolicy: ...
    def touchpoints(self, share: float = 1.0) -> Iterator[PastTouchpoint]: ...
    def customers(self, policy: HousePolicy, share: float = 1.0) -> Iterator[PastCustomer]: ...


class OpenPast(Protocol):
    """Opens it for a span."""

    def __call__(self, span: PastSpan) -> AbstractContextManager[Past]: ...


@dataclass(slots=True, kw_only=True)
class Counted:
    """Measures of one version: over all customers, and over each part of them."""

    whole: Counter[Key] = field(default_factory=Counter[Key])
    parts: list[Counter[Key]] = field(default_factory=list[Counter[Key]])


def month_tried(order: MonthOrder, past: OpenPast, folder: Path) -> MonthTried:
    """Play it. Raises: `TooMuchToTryError`, `BacktestStoppedError`."""
    edited = definition_of(order.edited)
    versions = [edited] if order.live is None else [edited, definition_of(order.live)]
    together = next(filter(None, (shares(each.program) for each in versions)), None)
    with past(_span(order, versions)) as here:
        size = here.size()
        share = _share(size)
        recording, house = _recorded(here, share, folder)
    bounds = Bounds(begins=order.begins, ends=order.ends)
    counted = [_play(each, recording, bounds, house) for each in versions]
    scaled = share < 1 and together is None
    return MonthTried(
        begins=order.begins,
        ends=order.ends,
        customers=size.customers,
        touchpoints=size.touchpoints,
        played=len(house.wishes),
        share=share,
        scaled=scaled,
        together=together,
        rows=list(rows_of(counted, share if scaled else 1.0)),
    )


def _span(order: MonthOrder, versions: Sequence[Publishable]) -> PastSpan:
    programs = [each.program for each in versions]
    return PastSpan(
        begins=order.begins,
        ends=order.ends,
        received_since=order.received_since,
        journey=programs[0].journey,
        channels=tuple(sorted(frozenset[str]().union(*map(channels_of, programs)))),
        everybody=any(entry_kind(each) in ("audience", "date", "schedule") for each in programs),
    )


def _share(size: PastSize) -> float:
    """Of how many customers it can be played in a minute."""
    limits = (
        (MOST_CUSTOMERS, size.customers),
        (MOST_TOUCHPOINTS, size.touchpoints),
        (MOST_BYTES, size.size),
    )
    return min([1.0, *(most / there for most, there in limits if there > most)])


def _recorded(past: Past, share: float, folder: Path) -> tuple[SortedRecording, House]:
    recording, policy = SortedRecording(folder, None), past.policy()
    wishes: dict[str, Wishes] = {}
    for each in past.customers(policy, share):
        wishes[each.customer] = Wishes(
            consents=each.consents,
            suppressed=each.suppressed,
            preferences=each.preferences,
            sent=each.sent,
        )
        recording.know(
            KnownCustomer(
                customer=each.customer,
                traits=dict(each.traits),
                zone=each.zone,
                addresses=dict(each.addresses),
            )
        )
    try:
        for each in past.touchpoints(share):
            recording.take(Recorded(each.customer, each.touchpoint))
            if recording.taken > _NEVER_MORE * MOST_TOUCHPOINTS:
                raise TooMuchToTryError(
                    "Too much of what happened is of a few customers or subjects to be played here: "
                    "clew backtest plays it from a file, however much it is."
                )
    finally:
        recording.close()
    return recording, House(policy=policy, wishes=wishes)


def _play(
    version: Publishable, recording: SortedRecording, bounds: Bounds, house: House
) -> Counted:
    counted = Counted()
    among = Circumstances(
        staff={}, house=house, each=lambda part: counted.parts.append(measures(part))
    )
    figures = play_recording(version, recording, bounds, among, _Unseen())
    counted.whole = measures(figures)
    return counted


class _Unseen:
    """Nobody looks how far it came."""

    def goes_to(self, total: float) -> None:
        pass

    def came_to(self, far: float) -> None:
        pass


def measures(figures: Figures) -> Counter[Key]:
    """The figures that are compared, by part, name and detail."""
    found: Counter[Key] = Counter()
    found["enters", "customers", ""] = figures.entered
    found["enters", "times", ""] = figures.runs
    found["enters", "held out", ""] = figures.held_out
    for (message, channel), count in figures.sent_by.items():
        found["sent", message, channel] += count
    for (message, state, reason), count in figures.deliveries.items():
        if state == "refused":
            found["held", message, reason] += count
        elif state != "accepted":
            found["held", message, "waiting"] += count
    for (outcome, goal, _), count in figures.outcomes.items():
        if outcome != GOES_ON:
            found["ends", outcome, "goal" if goal else ""] += count
    for stage, count in figures.standing.items():
        found["ends", GOES_ON, stage] += count
    for (queue, _), count in figures.cases.items():
        found["cases", queue, ""] += count
    for (what, why), count in figures.why_not.items():
        if what == "not entered":
            found["kept_out", why, ""] += count
        elif what.startswith(_FAILS):
            found["fails", what, why] += count
    return +found


def rows_of(counted: Sequence[Counted], share: float) -> Iterator[Row]:
    """Each figure of the edited version, and of the live one beside it, with what the sample leaves open."""
    edited, live = counted[0], counted[1] if len(counted) > 1 else None
    keys = {*edited.whole, *(live.whole if live else ())}
    for part in PARTS_IN_ORDER:
        found = sorted(
            (key for key in keys if key[0] == part),
            key=lambda key: (
                -max(edited.whole[key], live.whole[key] if live else 0),
                key,
            ),
        )
        if part == "enters":
            found.sort(key=lambda key: ("customers", "times", "held out").index(key[1]))
        for key in found[:MOST_REASONS] if part in ("kept_out", "fails") else found:
            yield _row(key, edited, live, share)


def _row(key: Key, edited: Counted, live: Counted | None, share: float) -> Row:
    here, there = edited.whole[key], live.whole[key] if live else 0
    apart = [
        part[key] - other[key]
        for part, other in zip(edited.parts, live.parts if live else (), strict=False)
    ]
    return Row(
        part=key[0],
        name=key[1],
        detail=key[2],
        edited=_measure(here, [part[key] for part in edited.parts], share),
        live=_measure(there, [part[key] for part in live.parts], share) if live else None,
        differs=live is not None
        and here != there
        and abs(here - there) / share > _margin(apart, share),
    )


def _measure(n: int, parts: Sequence[int], share: float) -> Measure:
    return Measure(n=round(n / share), margin=math.ceil(_margin(parts, share)))


def _margin(parts: Sequence[int], share: float) -> float:
    """What a sum over parts of a sample may be off by: parts are of customers by lot, so they are a sample of sums."""
    if share >= 1:
        return 0.0
    total = sum(parts)
    spread = sum(each * each for each in parts) - total * total / PARTS
    return _SURE * math.sqrt(max(0.0, spread * PARTS / (PARTS - 1) * (1 - share))) / share
