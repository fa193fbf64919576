"""How far a replay is behind the clock of its runs, in seconds of the wall."""

from collections import deque
from collections.abc import Iterable

RECENT = 25


class Lateness:
    """Samples of lateness, all of them and the latest."""

    def __init__(self) -> None:
        self._all: list[float] = []
        self._recent: deque[float] = deque(maxlen=RECENT)

    def add(self, seconds: float) -> None:
        """Add one sample."""
        late = max(0.0, seconds)
        self._all.append(late)
        self._recent.append(late)

    def recent(self, share: float) -> float:
        """The quantile of the latest samples."""
        return _quantile(self._recent, share)

    def overall(self, share: float) -> float:
        """The quantile of all samples."""
        return _quantile(self._all, share)


def _quantile(samples: Iterable[float], share: float) -> float:
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
