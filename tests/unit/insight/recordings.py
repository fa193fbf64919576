"""Recordings for tests of backtests: a tea shop, its customers, and a journey over them."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from insight.backtest_customers import Bounds
from insight.recorded_touchpoints import Recorded
from insight.sorted_recording import SortedRecording
from journey.publication import Publishable, read_definition
from journey.touchpoint import Touchpoint

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)

TEA = """
language: 1
journey: tea
title: From the first cup to the second
owner: shop
zone: Europe/Prague
enter: {on: Tea Bought, when: event.properties.price >= 2.0, again: after 7d, hold_out: 20%}
exit: [{on: Left, outcome: left}]
goal: {outcome: again}
stages:
  - stage: tasting
    steps:
      - send: {message: how-was-it, purpose: marketing}
      - split:
          name: blend
          arms: [{arm: green}, {arm: black}]
      - wait: {any: [{on: Tea Bought, do: [{finish: again}]}], until: 3d}
      - choose:
          - when: customer.tier == "gold"
            do:
              - handoff:
                  as: call
                  queue: hosts
                  brief: 'Call {{ customer.name }}'
                  resolve: 2d
                  decisions: {came: {do: [{finish: again}]}, no: {}}
                  late: [{finish: lost}]
          - otherwise: [{wait: 10d}]
      - finish: lost
"""


def journey(source: str = TEA) -> Publishable:
    return read_definition(source, "test.yaml")


def came(customer: str | None, event: str, after: timedelta, **properties: Any) -> Recorded:
    """Something that was recorded so long after the first noon."""
    subject = properties.pop("subject", None)
    context: dict[str, Any] = {"subject": subject} if subject else {}
    return Recorded(
        customer,
        Touchpoint(
            message_id=f"{customer}/{event}/{after}",
            event=event,
            timestamp=NOON + after,
            properties=properties,
            context=context,
        ),
    )


def guests(many: int) -> list[Recorded]:
    """Guests who come once or twice, in the order of time; one in seven pays too little."""
    found = [
        came(f"guest-{n}", "Tea Bought", n * timedelta(minutes=7), price=1.0 if n % 7 == 3 else 3.0)
        for n in range(many)
    ]
    found += [
        came(f"guest-{n}", "Tea Bought", n * timedelta(minutes=7) + DAY * (n % 5 + 1), price=3.0)
        for n in range(0, many, 3)
    ]
    return sorted(found, key=lambda each: each.touchpoint.timestamp)


def sorted_in(
    folder: Path,
    recorded: Iterable[Recorded],
    *,
    entry_event: str = "Tea Bought",
    sample: int | None = None,
) -> SortedRecording:
    folder.mkdir(exist_ok=True)
    recording = SortedRecording(folder, entry_event)
    for each in recorded:
        recording.take(each)
    recording.close(sample)
    return recording


def bounds(recording: SortedRecording, examples: int = 0) -> Bounds:
    assert recording.begins is not None
    assert recording.ends is not None
    return Bounds(
        begins=recording.begins,
        ends=recording.ends,
        examples=examples,
        highest_lot=recording.highest_lot,
    )
