"""`python -m benchmarks.side_by_side`: every contender in turn, round after round, and the table of what was found.

python -m benchmarks.side_by_side [--quick | --minutes 25] [--rounds 3] [--only clew,bare] [--parts carts,open]
    [--runs 500] [--open 1000,10000] [--wave 10000] [--wait 3] [--into docs/benchmarks] [--afresh] [--keep]
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from benchmarks.side_by_side.contenders import CONTENDERS
from benchmarks.side_by_side.parts import PARTS
from benchmarks.side_by_side.results import MACHINE, Results, kept, load_average
from benchmarks.side_by_side.scenario import Scenario
from benchmarks.side_by_side.sitting import Sitting, plan
from benchmarks.side_by_side.sizes import Sizes, full, sitting
from benchmarks.side_by_side.turns import Turns

PAGE = "docs/benchmarks"
KNOWN = [*PARTS, MACHINE]


def main(arguments: list[str]) -> int:
    """Measure, write, and say which gates are met. A missed gate is no failure: the page says so."""
    asked = _asked(arguments)
    names, parts = asked.only.split(","), asked.parts.split(",")
    for word, given, there in (("contender", names, [*CONTENDERS]), ("part", parts, KNOWN)):
        if unknown := [each for each in given if each not in there]:
            print(f"no {word} {', '.join(unknown)}; there are {', '.join(there)}", file=sys.stderr)
            return 2
    sizes, into = _sizes(asked), Path(asked.into)
    results = Results(asked.rounds, sizes, None if asked.afresh else kept(into))
    seconds = asked.minutes * 60 if asked.minutes else None
    if "clew" in names and MACHINE in parts:
        _machine(results, sizes)
        seconds = seconds and seconds - 2 * sizes.machine_seconds
    turns = plan(names, [part for part in PARTS if part in parts], asked.rounds)
    work = Turns(results, sizes, Sitting(seconds, sizes), into, keep=asked.keep)
    asyncio.run(work.all(turns))
    results.write(into)
    print(results.in_words())
    print(f"The page is {into / 'README.md'}")
    return 0


def _machine(results: Results, sizes: Sizes) -> None:
    """P16, by the machine's own benchmark."""
    from benchmarks.machine import measure

    load, advances = load_average(), 1e6 / measure(sizes.machine_seconds)[0].whole.decided
    results.add("clew", MACHINE, {"P16": round(advances)}, load)


def _asked(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.side_by_side", description=__doc__)
    size = parser.add_mutually_exclusive_group()
    size.add_argument(
        "--quick", action="store_true", help="one small round, for trying, into a folder of its own"
    )
    size.add_argument(
        "--minutes", type=float, help="one sitting of so long; the page says what was left out"
    )
    few = "(3; 1 with --quick)"
    parser.add_argument("--rounds", type=int, help=f"turns of each contender {few}")
    parser.add_argument("--only", default=",".join(CONTENDERS), help="some of %(default)s")
    parser.add_argument("--parts", default=",".join(KNOWN), help="some of %(default)s")
    few = "(500; 100 with --minutes, 40 with --quick)"
    parser.add_argument("--runs", type=int, help=f"full carts a turn {few}")
    few = "(1000,10000; 200,1000 with --minutes, 200,400 with --quick)"
    parser.add_argument("--open", help=f"open runs to look at {few}")
    few = "(10000; 200 with --minutes, 100 with --quick)"
    parser.add_argument("--wave", type=int, help=f"timers of one second {few}")
    parser.add_argument("--wait", type=int, help="seconds of each wait of `cart` (3, else 1)")
    parser.add_argument("--into", help=f"where the page goes ({PAGE})")
    parser.add_argument(
        "--afresh", action="store_true", help="keep nothing that earlier runs have found"
    )
    parser.add_argument(
        "--keep", action="store_true", help="leave each contender's folder with its logs"
    )
    asked = parser.parse_args(arguments)
    asked.rounds = asked.rounds or (1 if asked.quick else 3)
    asked.into = asked.into or (
        str(Path(tempfile.gettempdir()) / "clew-bench") if asked.quick else PAGE
    )
    return asked


def _sizes(asked: argparse.Namespace) -> Sizes:
    sizes = Sizes() if asked.quick else sitting() if asked.minutes else full()
    sizes.scenario = Scenario(asked.wait or sizes.scenario.wait_seconds)
    sizes.runs = asked.runs or sizes.runs
    sizes.at_once = min(sizes.at_once, sizes.runs)
    sizes.wave = asked.wave or sizes.wave
    if asked.open:
        sizes.open_runs = [int(each) for each in asked.open.split(",")]
    return sizes


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
