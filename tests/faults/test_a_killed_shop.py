"""Orders go on whatever is killed: nothing lost, nothing twice, nobody stuck.

CLEW_FAULTS_SEED plays the kills of another seed; CLEW_FAULTS_RUNS, CLEW_FAULTS_KILLS and
CLEW_FAULTS_RATE set the size of the full runs (R1 to R3), CLEW_FAULTS_TIMES how often each fault point is killed.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.fault_points import FAULT_POINTS
from tests.faults.killed_shop import PROCESSES, Outcome, Wish, run, silences
from tests.faults.test_a_killed_day import SEED, SHOWN
from tests.faults.test_a_killed_day import state as state  # noqa: PLC0414 -- a fixture, used by its name
from tests.scorecard import keep

CLONE = Path(__file__).resolve().parents[2]
OURS = ("activities", "api", "channels", "routing", "stores", "workers", "workflows", "insight")
RUNS = int(os.environ.get("CLEW_FAULTS_RUNS", "0"))
KILLS = int(os.environ.get("CLEW_FAULTS_KILLS", "0"))
RATE = float(os.environ.get("CLEW_FAULTS_RATE", "8"))
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
        **{k: v for k, v in outcome.figures().items() if k not in ("killed", "kills")},
        "kills": sum(outcome.marks.values()),
    }
    keep("R5", figures, met=struck == named and outcome.holds)
    assert struck == named, f"never killed: {set(named) - set(struck)}"


@pytest.mark.faults_full
@pytest.mark.timeout(1_200)
async def test_a_small_shop_survives_a_kill_at_each_point_and_each_member(state: Path) -> None:
    wish = Wish(
        orders=60,
        per_second=3,
        parcels=6,
        points=every_point(1),
        kills=12,
        kinds=("temporal", "postgres", *PROCESSES),
        hows=("kill", "stop"),
        stalls=3,
        smtp_timeout=2,
        seed=SEED,
    )
    outcome = await run(wish, state)
    survives(outcome)
    all_struck(outcome, 1)


@pytest.mark.faults_full
@pytest.mark.timeout(4 * 3600)
async def test_each_fault_point_is_killed_many_times(state: Path) -> None:
    points = every_point(TIMES)
    wish = Wish(
        orders=100, per_second=2, parcels=50, points=points, times=TIMES, kills=0, seed=SEED,
        smtp_timeout=2, settle_seconds=300, points_within=3_000,
    )  # fmt: skip
    outcome = await run(wish, state)
    survives(outcome)
    all_struck(outcome, TIMES)


@pytest.mark.faults_full
@pytest.mark.timeout(4 * 3600)
@pytest.mark.parametrize(
    ("line", "kinds", "kills", "runs"),
    [
        ("R1", ("journey", "delivery"), 50, 5_000),
        ("R2", ("temporal",), 20, 10_000),
        ("R3", ("postgres",), 20, 10_000),
    ],
)
async def test_thousands_of_runs_survive_many_kills(
    state: Path, line: str, kinds: tuple[str, ...], kills: int, runs: int
) -> None:
    wish = Wish(
        orders=RUNS or runs, per_second=RATE, kills=KILLS or kills, kinds=kinds, seed=SEED,
        settle_seconds=600,
    )  # fmt: skip
    outcome = await run(wish, state)
    bar = {"R2": 5.0, "R3": 10.0}.get(line)
    slow = bar is not None and max(outcome.silences, default=0.0) > bar
    why = f"the longest silence after a kill was over {bar} s" if slow else ""
    keep(line, outcome.figures(), met=outcome.holds and not slow, why=why)
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
