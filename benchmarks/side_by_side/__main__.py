"""`python -m benchmarks.side_by_side`: every contender in turn, round after round, and the table of what was found.

python -m benchmarks.side_by_side [--rounds 3] [--runs 500] [--only clew,bare] [--quick]
    [--open 1000,10000] [--wave 10000] [--skip wave,open] [--wait 3] [--into docs/benchmarks] [--keep]
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.side_by_side import measuring, standing
from benchmarks.side_by_side.contender import Contender
from benchmarks.side_by_side.contenders import CONTENDERS
from benchmarks.side_by_side.measuring import Figures, Names, Sizes
from benchmarks.side_by_side.postgres_meter import PostgresMeter
from benchmarks.side_by_side.results import Results, load_average
from benchmarks.side_by_side.scenario import Scenario

PARTS = (
    "carts",
    "bought",
    "noise",
    "long",
    "answers",
    "ingest",
    "wave",
    "cold",
    "open",
    "recovery",
)
"""What is measured, in this order: what adds many open runs comes late, and kills come last."""


PART_SECONDS = 3_600


def main(arguments: list[str]) -> int:
    """Measure, write, and say which gates are met. A missed gate is no failure: the page says so."""
    asked = _asked(arguments)
    names = asked.only.split(",") if asked.only else [*CONTENDERS]
    unknown = [name for name in names if name not in CONTENDERS]
    if unknown:
        print(
            f"no contender {', '.join(unknown)}; there are {', '.join(CONTENDERS)}", file=sys.stderr
        )
        return 2
    skipped = set(asked.skip.split(","))
    parts = [part for part in PARTS if part not in skipped]
    results = Results(asked.rounds, sizes := _sizes(asked))
    asyncio.run(_rounds(results, names, parts, sizes, asked.rounds, keep=asked.keep))
    if "clew" in names and "machine" not in skipped:
        results.machine(seconds=3 if asked.quick else 30)
    results.write(Path(asked.into))
    print(results.in_words())
    return 0


async def _rounds(
    results: Results, names: list[str], parts: list[str], sizes: Sizes, rounds: int, *, keep: bool
) -> None:
    for number in range(1, rounds + 1):
        for name in names:
            began, load = datetime.now(UTC), load_average()
            print(f"{began:%H:%M:%S} round {number}: {name} (load {load})", flush=True)
            contender = CONTENDERS[name](sizes.scenario)
            figures, failures = await _turn(contender, parts, sizes, f"{name}-{number}-", keep=keep)
            results.add(name, contender, figures, failures, load)


async def _turn(
    contender: Contender, parts: list[str], sizes: Sizes, prefix: str, *, keep: bool
) -> tuple[Figures, dict[str, str]]:
    """One contender, from an empty folder to the end of all its processes."""
    figures: Figures = {}
    failures: dict[str, str] = {}
    folder = Path(tempfile.mkdtemp(prefix=f"clew-bench-{contender.name}-"))
    try:
        await contender.start(folder)
        url = contender.postgres()
        meter = PostgresMeter(url) if url else None
        for part, measure in _measures(contender, meter, Names(prefix), sizes).items():
            if part in parts:
                await _measured(contender, part, measure, figures, failures)
    except Exception as error:
        failures["start"] = f"{type(error).__name__}: {error}"[:300]
        print(f"   {contender.name} did not start: {failures['start']}", flush=True)
    finally:
        await contender.stop()
        if keep or failures:
            print(f"   logs in {folder}", flush=True)
        else:
            _remove(folder)
    return figures, failures


async def _measured(
    contender: Contender,
    part: str,
    measure: Callable[[], Awaitable[Figures]],
    figures: Figures,
    failures: dict[str, str],
) -> None:
    """One part; where it fails there is a hole in the table, and the page says why."""
    try:
        async with asyncio.timeout(PART_SECONDS):
            figures |= await measure()
    except Exception as error:
        failures[part] = f"{type(error).__name__}: {error}"[:300]
        print(f"   {contender.name}: {part} failed: {failures[part]}", flush=True)


def _measures(
    contender: Contender, meter: PostgresMeter | None, names: Names, sizes: Sizes
) -> dict[str, Callable[[], Awaitable[Figures]]]:
    return {
        "carts": lambda: measuring.carts(contender, meter, names, sizes),
        "bought": lambda: measuring.bought(contender, names, sizes),
        "noise": lambda: measuring.noise(contender, names),
        "long": lambda: measuring.long(contender, names, sizes),
        "answers": lambda: measuring.answers(contender, names, sizes),
        "ingest": lambda: measuring.ingest(contender, names, sizes),
        "wave": lambda: measuring.wave(contender, names, sizes),
        "cold": lambda: standing.cold(contender, names, sizes),
        "open": lambda: standing.open_runs(contender, meter, names, sizes),
        "recovery": lambda: standing.recovery(contender, names, sizes),
    }


def _remove(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)


def _asked(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.side_by_side", description=__doc__)
    parser.add_argument(
        "--rounds", type=int, default=None, help="turns of each contender (3; 1 with --quick)"
    )
    parser.add_argument(
        "--runs", type=int, default=None, help="full carts a turn (500; 40 with --quick)"
    )
    parser.add_argument("--only", help=f"some of {','.join(CONTENDERS)}")
    parser.add_argument("--skip", default="", help=f"some of {','.join(PARTS)},machine")
    parser.add_argument(
        "--open", default=None, help="open runs to look at (1000,10000; 200,400 with --quick)"
    )
    parser.add_argument(
        "--wave", type=int, default=None, help="timers of one second (10000; 100 with --quick)"
    )
    parser.add_argument(
        "--wait",
        type=int,
        default=None,
        help="seconds that a wait of `cart` takes (3; 1 with --quick)",
    )
    parser.add_argument(
        "--into", default="docs/benchmarks", help="where the table and the pictures go"
    )
    parser.add_argument(
        "--quick", action="store_true", help="small numbers: counts are right, times are not"
    )
    parser.add_argument(
        "--keep", action="store_true", help="leave each contender's folder with its logs"
    )
    asked = parser.parse_args(arguments)
    asked.rounds = asked.rounds or (1 if asked.quick else 3)
    return asked


def _sizes(asked: argparse.Namespace) -> Sizes:
    sizes = Sizes(scenario=Scenario(asked.wait or 1))
    if not asked.quick:
        sizes = Sizes(
            runs=500, at_once=200, idle_seconds=20, asks=300, posts=3_000, posts_at_once=32,
            open_runs=(1_000, 10_000), wave=10_000, long=10, scenario=Scenario(asked.wait or 3),
        )  # fmt: skip
    sizes.runs = asked.runs or sizes.runs
    sizes.at_once = min(sizes.at_once, sizes.runs)
    sizes.wave = asked.wave or sizes.wave
    if asked.open:
        sizes.open_runs = [int(each) for each in asked.open.split(",")]
    return sizes


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
