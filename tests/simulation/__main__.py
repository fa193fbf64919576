"""Live through many seeds, and say what does not hold: `python -m tests.simulation --seeds 100000 --processes 2`."""

import argparse
import json
import sys
import time

from tests.scorecard import keep
from tests.simulation.life import Lived
from tests.simulation.night import again, night

SHOWN = 20


def main() -> None:
    """Play seeds; exit code 1 where one of them fails."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=500, help="how many")
    parser.add_argument("--from", dest="first", type=int, default=0, help="the first of them")
    parser.add_argument("--processes", type=int, default=1, help="how many at once")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop after so many")
    wish = parser.parse_args()
    began = time.monotonic()
    until = began + 60 * wish.minutes
    whole = night(wish.first, wish.seeds, wish.processes, until=until, hear=_tell)
    figures = whole.figures(time.monotonic() - began)
    print(f"steps: {json.dumps(dict(sorted(whole.steps.items())))}")
    print(f"happenings: {json.dumps(dict(sorted(whole.happenings.items())))}")
    why = "" if not whole.failed else f"seeds {sorted(whole.failed)[:SHOWN]} fail"
    keep(
        "R10",
        figures,
        met=not whole.failed and whole.seeds >= 100_000,
        why=why or _too_few(whole.seeds),
    )
    sys.exit(1 if whole.failed else 0)


def _tell(lived: Lived) -> None:
    if lived.faults:
        print(
            f"seed {lived.seed}: {lived.faults[0][:400]}\n  again: {again(lived.seed)}", flush=True
        )


def _too_few(seeds: int) -> str:
    return "" if seeds >= 100_000 else f"{seeds:,} of 100,000 seeds"


if __name__ == "__main__":
    main()
