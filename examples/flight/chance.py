"""Chance that is the same every time: a hash of the seed and of what is being decided."""

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import TypeVar

Choice = TypeVar("Choice")


class Chance:
    """Draws that depend on a seed and on what they are about, and on nothing else."""

    def __init__(self, seed: int) -> None:
        self._seed = f"seed {seed}"

    def share(self, *about: object) -> float:
        """A number from 0 up to 1."""
        said = "/".join((self._seed, *(str(part) for part in about)))
        return int.from_bytes(hashlib.sha256(said.encode()).digest()[:8], "big") / 2**64

    def happens(self, share: float, *about: object) -> bool:
        """Whether something comes true that does in `share` of all cases."""
        return self.share(*about) < share

    def whole(self, least: int, most: int, *about: object) -> int:
        """A whole number from `least` to `most`."""
        return least + int(self.share(*about) * (most - least + 1))

    def minutes(self, least: int, most: int, *about: object) -> timedelta:
        """A length of time of `least` to `most` minutes, to the second."""
        return timedelta(seconds=self.whole(least * 60, most * 60, *about))

    def one_of(self, choices: Sequence[Choice], *about: object) -> Choice:
        """One of several."""
        return choices[self.whole(0, len(choices) - 1, *about)]
