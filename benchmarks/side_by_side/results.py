"""What was found in all rounds: medians and spreads, docs/benchmarks/latest.json, and the page."""

import json
import os
import platform
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from benchmarks.side_by_side.contender import Contender
from benchmarks.side_by_side.gates import DITTOFEED, gates
from benchmarks.side_by_side.measuring import Figures, Sizes
from benchmarks.side_by_side.page import page
from benchmarks.side_by_side.pictures import pictures

CLONE = Path(__file__).resolve().parents[2]


class Results:
    """Gathers turns; writes the table, the page and the pictures."""

    def __init__(self, rounds: int, sizes: Sizes) -> None:
        self._rounds = rounds
        self._sizes = sizes
        self._turns: dict[str, list[Figures]] = {}
        self._told: dict[str, dict[str, Any]] = {}
        self._advances: float | None = None

    def add(
        self,
        name: str,
        contender: Contender,
        figures: Figures,
        failures: Mapping[str, str],
        load: str,
    ) -> None:
        """One turn of one contender."""
        self._turns.setdefault(name, []).append(figures)
        told = self._told.setdefault(
            name, {"title": contender.title, "versions": dict(contender.versions()), "load": []}
        )
        told["load"].append(load)
        if failures:
            told.setdefault("failed", []).append(dict(failures))

    def machine(self, seconds: float) -> None:
        """P16, by the machine's own benchmark."""
        from benchmarks.machine import measure

        self._advances = 1e6 / measure(seconds)[0].whole.decided

    def found(self) -> dict[str, Any]:
        """All of it, as latest.json holds it."""
        rows: dict[str, Any] = {}
        for name, turns in self._turns.items():
            rows[name] = {**_merged(turns), **self._told[name], "turns": len(turns)}
            spread = _spread(turns)
            rows[name]["spread"] = spread
        if self._advances is not None and "clew" in rows:
            rows["clew"]["P16"] = round(self._advances)
        quoted = {"title": "Dittofeed", "quoted": "measured outside this suite", **DITTOFEED}
        return {
            "rows": {**rows, "dittofeed": quoted},
            "gates": gates(rows),
            "date": datetime.now(UTC).date().isoformat(),
            "commit": _commit(),
            "rounds": self._rounds,
            "sizes": {
                name: getattr(self._sizes, name)
                for name in ("runs", "at_once", "asks", "posts", "open_runs", "wave", "long")
            }
            | {"wait_seconds": self._sizes.scenario.wait_seconds},
            "machine": machine(),
        }

    def write(self, folder: Path) -> None:
        """latest.json, README.md and the pictures."""
        found = self.found()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "latest.json").write_text(json.dumps(found, indent=1) + "\n")
        for name, picture in pictures(found).items():
            (folder / name).write_text(picture)
        (folder / "README.md").write_text(page(found))

    def in_words(self) -> str:
        """The gates, one line each."""
        return "\n".join(
            f"{'met   ' if gate['met'] else 'MISSED'} {name:12} {gate['value']:>10}"
            f" (gate {gate['gate']}) {gate['words']}"
            for name, gate in self.found()["gates"].items()
        )


def _merged(turns: Sequence[Figures]) -> Figures:
    """The median of each number over the turns that have it; of what is no number, the first."""
    names = dict.fromkeys(name for turn in turns for name in turn)
    return {name: _median([turn[name] for turn in turns if name in turn]) for name in names}


def _median(values: Sequence[Any]) -> Any:
    first: Any = values[0]
    if isinstance(first, dict):
        return _merged([cast("Figures", value) for value in values])
    if isinstance(first, list) and first and "open" in first[0]:
        return [_merged([turn[n] for turn in values]) for n in range(min(map(len, values)))]
    if isinstance(first, int | float):
        return round(statistics.median(values), 3)
    return cast("Any", first)


def _spread(turns: Sequence[Figures]) -> Figures:
    """The least and the most of each plain number."""
    found: Figures = {}
    for name in dict.fromkeys(name for turn in turns for name in turn):
        values = [turn[name] for turn in turns if isinstance(turn.get(name), int | float)]
        if len(values) > 1:
            found[name] = [round(min(values), 3), round(max(values), 3)]
    return found


def load_average() -> str:
    """The load of the last minute."""
    return f"{os.getloadavg()[0]:.1f}"


def machine() -> dict[str, Any]:
    """On what it was measured."""
    cpu = "unknown"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.split(":", 1)[1].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return {
        "cores": os.cpu_count(),
        "cpu": cpu,
        "memory_gb": round(memory),
        "python": platform.python_version(),
        "system": platform.platform(),
    }


def _commit() -> str:
    git = ["git", "-C", str(CLONE), "rev-parse", "--short", "HEAD"]
    return subprocess.run(git, check=False, capture_output=True, text=True).stdout.strip()
