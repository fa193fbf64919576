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
from benchmarks.side_by_side.contenders import CONTENDERS
from benchmarks.side_by_side.gates import DITTOFEED, gates
from benchmarks.side_by_side.page import page
from benchmarks.side_by_side.parts import PARTS
from benchmarks.side_by_side.pictures import pictures
from benchmarks.side_by_side.sizes import Figures, Sizes

CLONE = Path(__file__).resolve().parents[2]
LATEST = "latest.json"
QUOTED = "dittofeed"
MACHINE, MACHINE_SIZE = "machine", "python -m benchmarks.machine"


class Results:
    """Gathers turns, part by part; what was found before and is not measured now keeps its own date."""

    def __init__(self, rounds: int, sizes: Sizes, kept: Mapping[str, Any] | None = None) -> None:
        self._rounds = rounds
        self._sizes = sizes
        self._kept: dict[str, Any] = dict((kept or {}).get("rows", {}))
        self._turns: dict[str, dict[str, list[Figures]]] = {}
        self._load: dict[tuple[str, str], list[str]] = {}
        self._told: dict[str, dict[str, Any]] = {}
        self._failed: dict[str, dict[str, str]] = {}
        self._left_out: dict[str, list[str]] = {}

    def about(self, name: str, contender: Contender) -> None:
        """Who it is."""
        self._told[name] = {
            "title": contender.title,
            "versions": dict(contender.versions()),
            "licence": contender.licence,
        }

    def add(self, name: str, part: str, figures: Figures, load: str) -> None:
        """One part of one turn."""
        self._turns.setdefault(name, {}).setdefault(part, []).append(figures)
        self._load.setdefault((name, part), []).append(load)

    def failed(self, name: str, part: str, why: str) -> None:
        """A part that came to nothing."""
        self._failed.setdefault(name, {})[part] = why

    def without(self, name: str, part: str, why: str) -> None:
        """A part that means nothing for it."""
        self._told[name]["without"] = {**self._told[name].get("without", {}), part: why}

    def left_out(self, name: str, part: str) -> None:
        """A part that there was no time for."""
        self._left_out.setdefault(name, []).append(part)

    def found(self) -> dict[str, Any]:
        """All of it, as latest.json holds it."""
        met = {*self._kept, *self._told, *self._turns, *self._failed}
        rows = {n: self._row(n) for n in dict.fromkeys([*CONTENDERS, *self._kept]) if n in met}
        rows.pop(QUOTED, None)
        quoted = {"title": "Dittofeed", "quoted": "measured outside this suite", **DITTOFEED}
        return {
            "rows": {**rows, QUOTED: quoted},
            "gates": gates(rows),
            "date": datetime.now(UTC).date().isoformat(),
            "commit": _commit(),
            "rounds": self._rounds,
            "machine": machine(),
        }

    def _row(self, name: str) -> dict[str, Any]:
        """What was found now over what was found before."""
        row: dict[str, Any] = {"title": name, "parts": {}, "spread": {}, **self._kept.get(name, {})}
        row |= self._told.get(name, {})
        turns = self._turns.get(name, {})
        row["parts"] = {**row["parts"], **{p: self._entry(name, p, t) for p, t in turns.items()}}
        row["spread"] = dict(row["spread"])
        for measured in turns.values():
            row |= _merged(measured)
            row["spread"] |= _spread(measured)
        failed = {**row.get("failed", {}), **self._failed.get(name, {})}
        out = {*row.get("left_out", []), *self._left_out.get(name, [])}
        row["failed"] = {p: why for p, why in failed.items() if p not in turns}
        row["left_out"] = sorted(out - {*row["parts"]})
        return row

    def _entry(self, name: str, part: str, turns: Sequence[Figures]) -> dict[str, Any]:
        size = MACHINE_SIZE if part == MACHINE else PARTS[part].size(self._sizes)
        return {
            "date": datetime.now(UTC).date().isoformat(),
            "commit": _commit(),
            "turns": len(turns),
            "load": self._load[name, part],
            "size": size,
        }

    def write(self, folder: Path) -> None:
        """latest.json, README.md and the pictures."""
        found = self.found()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / LATEST).write_text(json.dumps(found, indent=1) + "\n")
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


def kept(folder: Path) -> dict[str, Any]:
    """What an earlier run has written there; nothing where none has."""
    try:
        found: Any = json.loads((folder / LATEST).read_text())
    except FileNotFoundError:
        return {}
    return cast("dict[str, Any]", found)


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


def _spread(turns: Sequence[Mapping[str, Any]]) -> Figures:
    """The least and the most of each number that there are several of, where the number itself is in the row."""
    found: Figures = {}
    for name in dict.fromkeys(name for turn in turns for name in turn):
        values: list[Any] = [turn[name] for turn in turns if name in turn]
        if all(isinstance(value, dict) for value in values):
            if within := _spread(values):
                found[name] = within
        elif len(values) > 1 and all(isinstance(value, int | float) for value in values):
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
