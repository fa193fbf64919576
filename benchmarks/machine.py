"""How many happenings the pure machine lives through in a second, on one core: `python -m benchmarks.machine`.

A customer goes through a journey of 10, 100 and 500 steps that waits, sends and waits again. Every happening
of that run is kept with the state it met; then each is lived again many times, and the fastest round counts,
because other work on the computer only ever adds. README.md beside this file says what was measured.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter

from journey.effects import Deliver
from journey.happenings import (
    AlarmFired,
    Arrived,
    DeliveryAnswer,
    EffectFinished,
    Entered,
    Happening,
)
from journey.machine import advance
from journey.program import Program
from journey.publication import read_definition
from journey.standing import next_alarm
from journey.state import State
from journey.touchpoint import Touchpoint

STEPS = (10, 100, 500)
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
AT_ONCE = 12
"""Happenings in one round: half a millisecond, so that many rounds are not interrupted by other work."""

ENTERED = "entered"
MET = "a touchpoint meets a wait, and a message is asked for"
NOBODY = "a touchpoint nobody waits for"
ANSWERED = "the message was sent; the next wait has its deadline"
LATE = "the alarm of a wait fires"


@dataclass(slots=True, frozen=True)
class Lived:
    """One happening of a run: what kind it is, and all that `advance` was given."""

    kind: str
    state: State
    happening: Happening
    now: datetime


@dataclass(slots=True, frozen=True)
class Cost:
    """Microseconds a happening: to decide, and to decide and put on record."""

    decided: float
    recorded: float


@dataclass(slots=True, frozen=True)
class Measured:
    """What one length of journey costs: each kind of happening, and all as often as in the shortest run."""

    steps: int
    kinds: dict[str, Cost]
    whole: Cost

    @classmethod
    def of(cls, steps: int, kinds: dict[str, Cost], proportions: Counter[str]) -> "Measured":
        """The same proportions for every length, so that only the length makes the difference."""
        many = proportions.total()
        decided = sum(kinds[kind].decided * count for kind, count in proportions.items())
        recorded = sum(kinds[kind].recorded * count for kind, count in proportions.items())
        return cls(steps, kinds, Cost(decided / many, recorded / many))


def journey_of(steps: int) -> Program:
    """A journey of so many steps: a wait and a message in turn, another wait, and the end."""
    lines = ["language: 1", "journey: measured", "title: Measured", "owner: benchmarks"]
    lines += ["enter: {on: Began, again: always}", "stages:", "  - stage: only", "    steps:"]
    for index in range(steps // 2 - 1):
        lines.append(f"      - wait: {{any: [{{on: Came {index}}}], until: 3d, late: []}}")
        lines.append("      - send: {message: hello, purpose: service, good_for: 1d}")
    lines += ["      - wait: {any: [{on: Last}], until: 3d, late: []}", "      - finish: done"]
    return read_definition("\n".join(lines), "measured.yaml").program


def run_of(program: Program, steps: int, customer: str = "anna") -> list[Lived]:
    """One run from entry to outcome: every third wait ends by its alarm, the others by a touchpoint."""
    lived: list[Lived] = []
    state, now, number = State(), NOON, 0

    def happens(kind: str, happening: Happening) -> None:
        nonlocal state, now
        now += timedelta(seconds=61, milliseconds=7)
        if isinstance(happening, AlarmFired):
            now = max(now, happening.at)
        lived.append(Lived(kind, state, happening, now))
        state = advance(program, state, happening, now).state

    def comes(event: str, kind: str) -> None:
        nonlocal number
        number += 1
        came = Touchpoint(
            message_id=f"m-{number}",
            event=event,
            timestamp=now,
            properties={"value": 80, "currency": "EUR"},
            number=number,
        )
        happens(kind, Arrived(touchpoints=(came,)))

    number += 1
    first = Touchpoint(message_id="m-0", event="Began", timestamp=now, number=number)
    happens(ENTERED, Entered(entry=1, customer=customer, entering=first))
    for index in range(steps // 2 - 1):
        alarm = next_alarm(state)
        if index % 3 == 2 and alarm is not None:
            happens(LATE, AlarmFired(at=alarm))
        else:
            comes(f"Came {index}", MET)
        for effect in [asked.effect for asked in state.outstanding.values()]:
            if isinstance(effect, Deliver):
                sent = DeliveryAnswer(state="accepted", channel="email")
                happens(ANSWERED, EffectFinished(n=effect.n, answer=sent))
        comes(f"Came {index}", NOBODY)
    comes("Last", "a touchpoint meets the last wait, and the run ends")
    if state.outcome != "done":
        raise RuntimeError(f"the run did not come to its end: {state}")
    return lived


class Round:
    """The same happenings lived again, with and without their records; the fastest time of each counts."""

    def __init__(self, program: Program, lived: list[Lived]) -> None:
        evenly = lived[:: max(1, len(lived) // AT_ONCE)][:AT_ONCE]
        self._program = program
        self._lived = evenly * max(1, AT_ONCE // len(evenly))
        self._decided = self._recorded = float("inf")

    def live(self) -> None:
        """Live them once more."""
        program, began = self._program, perf_counter()
        for one in self._lived:
            advance(program, one.state, one.happening, one.now)
        between = perf_counter()
        for one in self._lived:
            _ = advance(program, one.state, one.happening, one.now).record
        self._decided = min(self._decided, between - began)
        self._recorded = min(self._recorded, perf_counter() - between)

    @property
    def cost(self) -> Cost:
        """How long one of them takes, on average over them."""
        each = 1e6 / len(self._lived)
        return Cost(self._decided * each, self._recorded * each)


def measure(seconds: float) -> list[Measured]:
    """What journeys of each length cost: for each kind of happening, and for a whole run.

    All take turns, so that a busy minute of the computer is a busy minute for all of them.
    """
    runs: dict[int, list[Lived]] = {}
    rounds: dict[tuple[int, str], Round] = {}
    for steps in STEPS:
        program = journey_of(steps)
        # A customer for each happening of a round: a short journey is not lived from a warmer cache than a long one.
        customers = [f"customer-{number}" for number in range(AT_ONCE)]
        runs[steps] = [one for each in customers for one in run_of(program, steps, each)]
        for kind in dict.fromkeys(one.kind for one in runs[steps]):
            same = [one for one in runs[steps] if one.kind == kind]
            rounds[steps, kind] = Round(program, same)
    ends = perf_counter() + seconds
    while perf_counter() < ends:
        for each in rounds.values():
            each.live()
    proportions = Counter(one.kind for one in runs[STEPS[0]])
    return [
        Measured.of(steps, {kind: rounds[steps, kind].cost for kind in proportions}, proportions)
        for steps in STEPS
    ]


def live_rounds(steps: int, rounds: int) -> None:
    """Live a run again so many times, without a clock: for counting instructions."""
    program = journey_of(steps)
    lived = run_of(program, steps)
    for _ in range(rounds):
        for one in lived:
            advance(program, one.state, one.happening, one.now)


def instructions(steps: int, rounds: int = 300) -> float | None:
    """Instructions a happening, which other work does not change; None without valgrind."""
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        return None
    happenings = len(run_of(journey_of(steps), steps))
    counts = [_counted(valgrind, steps, so_many) for so_many in (2, 2 + rounds)]
    return (counts[1] - counts[0]) / (rounds * happenings)


def _counted(valgrind: str, steps: int, rounds: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "counted"
        command = [valgrind, "--tool=cachegrind", "--cache-sim=no", f"--cachegrind-out-file={out}"]
        here = [sys.executable, "-m", "benchmarks.machine", "--rounds", str(rounds)]
        command += [*here, "--steps", str(steps)]
        # Sets and dicts in one order, or getting ready would differ by more than what is measured.
        same = {**os.environ, "PYTHONHASHSEED": "0"}
        subprocess.run(command, check=True, capture_output=True, env=same)
        return int(out.read_text().rsplit("summary:", 1)[1].split()[0])


def in_words(found: list[Measured]) -> str:
    """What was measured, as a person reads it."""
    lines = ["             decided   and put on record"]
    for one in found:
        lines.append(f"{one.steps} steps")
        lines += [_costs(cost, kind) for kind, cost in one.kinds.items()]
        lines.append(_costs(one.whole, "on average"))
        lines.append(
            f"  {1e6 / one.whole.decided:8,.0f} /s {1e6 / one.whole.recorded:10,.0f} /s"
            "   happenings a second, one core"
        )
    lines.append(
        f"{found[-1].steps} steps take {_ratio(found):.2f} times what {found[0].steps} steps take"
    )
    return "\n".join(lines)


def _costs(cost: Cost, kind: str) -> str:
    return f"  {cost.decided:8.1f} µs {cost.recorded:10.1f} µs   {kind}"


def _ratio(found: list[Measured]) -> float:
    return found[-1].whole.decided / found[0].whole.decided


def main() -> None:
    """Measure, and say what was found."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.machine", description=__doc__)
    parser.add_argument("--seconds", type=float, default=30, help="to measure for")
    parser.add_argument("--json", action="store_true", help="one object as the last line")
    parser.add_argument("--instructions", action="store_true", help="count them too, with valgrind")
    parser.add_argument("--rounds", type=int, help="only live a run so often, unmeasured")
    parser.add_argument("--steps", type=int, default=STEPS[0], help="of the journey for --rounds")
    asked = parser.parse_args()
    if asked.rounds is not None:
        live_rounds(asked.steps, asked.rounds)
        return
    found = measure(asked.seconds)
    print(in_words(found))
    counted = {steps: instructions(steps) for steps in STEPS[:1]} if asked.instructions else {}
    for steps, each in counted.items():
        print(f"{steps} steps: {each:,.0f} instructions a happening" if each else "no valgrind")
    if asked.json:
        print(
            json.dumps(
                {
                    "python": platform.python_version(),
                    "measured": [asdict(one) for one in found],
                    "happenings_a_second": {one.steps: 1e6 / one.whole.decided for one in found},
                    "longest_to_shortest": _ratio(found),
                    "instructions": counted,
                }
            )
        )


if __name__ == "__main__":
    main()
