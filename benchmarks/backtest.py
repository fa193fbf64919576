"""How long the purchases of CDNOW take through `examples/winback`, and with how much memory.

    python -m benchmarks.backtest [--customers N] [--processes N] [--json]

69,659 purchases of 23,570 customers over 18 months. Prints seconds on the wall, seconds of the
processors (of all processes), runs and happenings a second, and the largest memory of a process.
"""

import argparse
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

from cli.backtest_run import Wish, carry_out, cores
from cli.backtest_sources import CDNOW, source_of
from cli.journey_files import check_files, find_files
from cli.output import CommandError

WINBACK = Path(__file__).resolve().parents[1] / "examples" / "winback"


def measure(customers: int | None, processes: int) -> dict[str, Any]:
    """Play it once. Raises: `CommandError` where the purchases are not installed."""
    [journey] = check_files(find_files([WINBACK]), None).journeys
    wish = Wish(
        journey=journey,
        source=source_of(CDNOW, None, 0),
        traits=None,
        first_day=None,
        last_day=None,
        customers=customers,
        staff={},
        examples=0,
        processes=processes,
        into=None,
        add=False,
    )
    before, began = _processor_seconds(), time.perf_counter()
    done = carry_out(wish)
    seconds = time.perf_counter() - began
    processor = _processor_seconds() - before
    figures = done.figures
    return {
        "purchases": figures.touchpoints,
        "customers": figures.customers,
        "runs": figures.runs,
        "processes": processes,
        "seconds": round(seconds, 1),
        "processor_seconds": round(processor, 1),
        "purchases_a_second": round(figures.touchpoints / seconds),
        "customer_milliseconds": round(1_000 * processor / figures.customers, 2),
        "largest_process_mb": _largest() // 1024,
    }


def _processor_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _largest() -> int:
    """The largest memory of a process, in kB."""
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(each).ru_maxrss for each in who)


def main() -> int:
    """Measure, and tell it."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--customers", type=int, help="only so many customers, drawn by lot")
    options.add_argument("--processes", type=int, default=cores(), help="how many side by side")
    options.add_argument("--json", action="store_true", help="one object as the last line")
    given = options.parse_args()
    try:
        found = measure(given.customers, given.processes)
    except CommandError as error:
        print(f"Error: {error}", file=sys.stderr)
        return error.code
    if given.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name.replace('_', ' '):<24}{value:>12,}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
