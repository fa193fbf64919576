"""How much of everything is done in a turn, and the names of those to whom it happens."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.side_by_side.scenario import Scenario

Figures = dict[str, Any]
REST_SECONDS = 3.0
"""After the last send a run has a few transactions left; this long after it, it has none."""
PATIENCE_SECONDS = 600.0


@dataclass(slots=True)
class Sizes:
    """The defaults are those of `--quick`."""

    runs: int = 40
    at_once: int = 20
    idle_seconds: float = 5.0
    """How long nothing happens. What is done then is done each 10 to 40 seconds: a short look is a coarse one."""
    asks: int = 40
    asks_a_second: float = 5.0
    posts: int = 300
    posts_at_once: int = 16
    open_runs: Sequence[int] = (200, 400)
    wave: int = 100
    long: int = 2
    kills: Sequence[str] = ("worker", "server", "database")
    asking_after_a_kill: int = 100
    far: int = 200
    far_seconds: int = 120
    machine_seconds: float = 3
    scenario: Scenario = field(default_factory=lambda: Scenario(1))


def sitting() -> Sizes:
    """What fits into one sitting: counts are right, times are of smaller samples."""
    return Sizes(
        runs=100, at_once=50, asks=60, posts=600, open_runs=(200, 1_000), wave=200, machine_seconds=10
    )  # fmt: skip


def full() -> Sizes:
    """All of it: hours."""
    return Sizes(
        runs=500, at_once=200, idle_seconds=60, asks=300, posts=3_000, posts_at_once=32,
        open_runs=(1_000, 10_000), wave=10_000, long=10, asking_after_a_kill=300, machine_seconds=30,
        scenario=Scenario(3),
    )  # fmt: skip


@dataclass(slots=True)
class Names:
    """Customers nobody has met yet in this turn."""

    prefix: str
    count: int = 0

    def new(self, many: int) -> list[str]:
        """So many of them."""
        self.count += many
        return [f"{self.prefix}{n}" for n in range(self.count - many, self.count)]
