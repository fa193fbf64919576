"""How long a sitting may take, and what of it there is still time for."""

import time
from collections.abc import Sequence

from benchmarks.side_by_side.parts import PARTS, START_SECONDS, Part, turn_seconds
from benchmarks.side_by_side.sizes import Sizes

HOUR = 3_600.0
STOP_SECONDS = 15.0


class Sitting:
    """Shares what time there is among the turns that are left, by what each is reckoned to take.

    `seconds` None: there is all the time in the world.
    """

    def __init__(self, seconds: float | None, sizes: Sizes) -> None:
        self._ends = None if seconds is None else time.monotonic() + seconds
        self._sizes = sizes
        self._turn_ends: float | None = None
        self._took: dict[tuple[str, str], float] = {}

    def turn(self, turns: Sequence[tuple[str, Sequence[str]]]) -> bool:
        """Begin the first of these turns (contender and parts); whether there is time for any of it."""
        if self._ends is None:
            return True
        left = self._ends - time.monotonic()
        needed = [turn_seconds(self._sizes, [*parts]) for _, parts in turns]
        self._turn_ends = time.monotonic() + left * needed[0] / sum(needed)
        return left > START_SECONDS + STOP_SECONDS

    def has_time_for(self, contender: str, part: str) -> bool:
        """Whether this part fits into what the turn has left."""
        if self._turn_ends is None:
            return True
        seconds = self._took.get((contender, part), PARTS[part].seconds(self._sizes))
        return time.monotonic() + seconds + STOP_SECONDS <= self._turn_ends

    def took(self, contender: str, part: str, seconds: float) -> None:
        """What a part took: the next time it is reckoned with that."""
        self._took[contender, part] = seconds

    def patience(self, part: str) -> float:
        """After so many seconds a part is broken off."""
        return HOUR if self._ends is None else max(90.0, 4 * PARTS[part].seconds(self._sizes))


def plan(
    names: Sequence[str], parts: Sequence[str], rounds: int
) -> list[tuple[int, str, list[str]]]:
    """Round, contender and parts of each turn: what is only counted is counted in the first round."""
    turns = [
        (number, name, [part for part in parts if _in(PARTS[part], number, name)])
        for number in range(1, rounds + 1)
        for name in names
    ]
    return [turn for turn in turns if turn[2]]


def _in(part: Part, number: int, name: str) -> bool:
    return (number == 1 or part.again) and part.of in (None, name)
