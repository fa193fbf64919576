"""Orders go on whatever is killed: nothing lost, nothing twice, nobody stuck.

CLEW_FAULTS_SEED plays the kills of another seed; CLEW_FAULTS_RUNS, CLEW_FAULTS_KILLS (of each
line) and CLEW_FAULTS_RATE set the size of the full run, CLEW_FAULTS_LINES which of R1 to R3 it is
for; CLEW_FAULTS_SERVERS=2 has two of Temporal's production servers in place of its development
server. CLEW_FAULTS_TIMES is how often each fault point is killed (R5).
"""

import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import pytest

from contracts.fault_points import FAULT_POINTS
from tests.faults.killed_shop import PROCESSES, Wish, run
from tests.faults.kills import KINDS
from tests.faults.shop_outcome import Outcome, silences
from tests.faults.test_a_killed_day import SEED, SHOWN
from tests.scorecard import keep

CLONE = Path(__file__).resolve().parents[2]
OURS = ("activities", "api", "channels", "routing", "stores", "workers", "workflows", "insight")
RUNS = int(os.environ.get("CLEW_FAULTS_RUNS", "0"))
KILLS = int(os.environ.get("CLEW_FAULTS_KILLS", "0"))
RATE = float(os.environ.get("CLEW_FAULTS_RATE", "8"))
KILLED = os.environ.get("CLEW_FAULTS_LINES", "R1,R2,R3").split(",")
SERVERS = int(os.environ.get("CLEW_FAULTS_SERVERS", "0"))
TIMES = int(os.environ.get("CLEW_FAULTS_TIMES", "20"))


def survives(outcome: Outcome) -> None:
    print(f"\n{outcome.figures()}\n{dict(outcome.marks)}", flush=True)
    for name in ("lost", "twice", "mailed_twice", "unmailed", "stuck", "left"):
        for words in getattr(outcome.broken, name)[:SHOWN]:
            print(f"  {name}: {words}", flush=True)
    assert outcome.holds


def named_in_the_code() -> Iterator[tuple[str, str]]:
    for folder in OURS:
        for file in (CLONE / folder).rglob("*.py"):
            for name in re.findall(r'\breach\(\s*"([^"]+)"', file.read_text()):
                yield name, str(file)


def test_each_fault_point_is_somewhere_in_the_code_and_each_in_the_code_is_named() -> None:
    found = [name for name, _ in named_in_the_code()]
    assert sorted(found) == sorted(FAULT_POINTS), "contracts/fault_points.py names them, each once"


def every_point(times: int) -> list[str]:
    """All that the code names, killed so often: what no parcel meets is not struck, and fails the test."""
    return [f"{name}:1:{times}" for name, _ in named_in_the_code()]


def all_struck(outcome: Outcome, times: int) -> None:
    named = sorted({name for name, _ in named_in_the_code()})
    struck = [name for name in named if outcome.marks.get(name, 0) >= times]
    figures = {
        "named": len(named),
        "killed": len(struck),
        "times_each": times,
        **{
            k: v
            for k, v in outcome.figures().items()
            if k not in ("killed", "kills", "kills_of_all")
        },
        "kills": sum(outcome.marks.values()),
    }
    keep("R5", figures, met=struck == named and outcome.holds)
    assert struck == named, f"never killed: {set(named) - set(struck)}"


@pytest.mark.timeout(2_400)
async def test_a_small_shop_survives_three_kills_of_each_kind(state: Path) -> None:
    wish = Wish(
        orders=60, per_second=2, parcels=4, kills=3 * len(KINDS), kinds=3 * KINDS, seed=SEED,
        smtp_timeout=2, settle_seconds=240,
    )  # fmt: skip
    outcome = await run(wish, state)
    survives(outcome)
    assert Counter(kill.kind for _, kill in outcome.struck) == dict.fromkeys(KINDS, 3)
    assert outcome.runs == wish.orders + outcome.parcels


@pytest.mark.faults_full
@pytest.mark.timeout(4 * 3600)
async def test_each_fault_point_is_killed_many_times(state: Path) -> None:
    points = every_point(TIMES)
    wish = Wish(
        orders=100, per_second=2, parcels=50, points=points, times=TIMES, kills=0, seed=SEED,
        smtp_timeout=2, settle_seconds=600, points_within=3 * 3_600,
    )  # fmt: skip
    outcome = await run(wish, state)
    survives(outcome)
    all_struck(outcome, TIMES)


@dataclass(frozen=True)
class Line:
    """One line of the scorecard: what of it is killed how often over how many runs, and when it must send again."""

    kinds: tuple[str, ...]
    kills: int
    runs: int
    silent_seconds: float | None = None

    def falls_short(self, outcome: Outcome) -> str:
        """Why it is not met; nothing where it is."""
        kills = sum(kill.kind in self.kinds for _, kill in outcome.struck)
        silence = max(outcome.silences_of(self.kinds), default=0.0)
        if not outcome.holds:
            return "something was lost, or came twice"
        if kills < self.kills or outcome.runs < self.runs:
            return f"{kills} kills of {self.kills}, {outcome.runs} runs of {self.runs}: no time for more"
        if self.silent_seconds is not None and silence > self.silent_seconds:
            return f"the longest silence after a kill was {silence:.1f} s, not {self.silent_seconds:g} s"
        return ""


KILLED_LINES = {
    "R1": Line(("journey", "delivery"), 50, 5_000),
    "R2": Line(("temporal",), 20, 10_000, silent_seconds=5),
    "R3": Line(("postgres",), 20, 10_000, silent_seconds=10),
}


@pytest.mark.faults_full
@pytest.mark.timeout(4 * 3600)
async def test_thousands_of_runs_survive_many_kills(state: Path) -> None:
    """All the lines in one: what survives every kill survived those of each kind. CLEW_FAULTS_LINES picks some."""
    lines = {name: KILLED_LINES[name] for name in KILLED}
    kinds = [
        kind for line in lines.values() for kind in islice(cycle(line.kinds), KILLS or line.kills)
    ]
    wish = Wish(
        orders=RUNS or max(line.runs for line in lines.values()), per_second=RATE,
        kills=len(kinds), kinds=kinds, seed=SEED, settle_seconds=600, servers=SERVERS,
    )  # fmt: skip
    outcome = await run(wish, state)
    for name, line in lines.items():
        why = line.falls_short(outcome)
        keep(name, outcome.figures(line.kinds), met=not why, why=why)
    survives(outcome)


@pytest.mark.faults_full
@pytest.mark.timeout(4 * 3600)
async def test_stopped_and_asked_to_end_members_lose_nothing(state: Path) -> None:
    """SIGSTOP for half a minute, longer than any lease, and SIGTERM, of each kind of process."""
    members = ("temporal", "postgres", *PROCESSES)
    wish = Wish(
        orders=RUNS or 1_500, per_second=RATE / 2, kills=12, kinds=members, hows=("stop", "term"),
        seed=SEED, settle_seconds=300,
    )  # fmt: skip
    survives(await run(wish, state))


@pytest.mark.faults_full
@pytest.mark.timeout(4 * 3600)
async def test_three_copies_of_each_process_do_everything_once(state: Path) -> None:
    """10,000 touchpoints, and no two of them are in each other's way."""
    wish = Wish(
        orders=RUNS or 4_000, per_second=RATE, kills=0, copies=3, seed=SEED, settle_seconds=600
    )
    outcome = await run(wish, state)
    survives(outcome)
    assert outcome.in_doubt == 0


def test_the_silence_after_a_kill_is_its_longest_pause() -> None:
    assert silences([10.0], [9.0, 10.5, 11.0, 17.0, 17.5, 40.0]) == [7.0]
    assert silences([10.0], []) == []
