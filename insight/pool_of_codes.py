"""Whether a pool of codes will hold: what it has left, against what was given of late."""

from dataclasses import dataclass


@dataclass(slots=True, frozen=True, kw_only=True)
class PoolOfCodes:
    """A pool that has `left` codes, of which `week` were given in the last seven days."""

    left: int
    week: int

    @property
    def low(self) -> bool:
        """None is left, or fewer than were given in the last seven days."""
        return self.left == 0 or self.left < self.week

    @property
    def days(self) -> float | None:
        """How long it lasts if as many are given as in the last seven days; None where none was given."""
        return 7 * self.left / self.week if self.week else None
