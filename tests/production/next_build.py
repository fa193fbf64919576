"""The next build of Clew: this checkout in a folder of its own, with an engine more."""

import shutil
from pathlib import Path

from journey.machine import ENGINE, KNOWN_ENGINES

CLONE = Path(__file__).resolve().parents[2]
LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "tests", "docs", "node_modules", "target")
NEXT_ENGINE = ENGINE + 1


def lay_out_next_build(folder: Path) -> Path:
    """A copy of this checkout whose code knows an engine more; its build id is another one."""
    clone = folder / "next"
    shutil.copytree(CLONE, clone, ignore=LEFT_OUT)
    machine = clone / "journey" / "machine.py"
    source = machine.read_text(encoding="utf-8")
    changes = {
        f"\nENGINE = {ENGINE}\n": f"\nENGINE = {NEXT_ENGINE}\n",
        _known(KNOWN_ENGINES): _known(KNOWN_ENGINES | {NEXT_ENGINE}),
    }
    for words, others in changes.items():
        assert source.count(words) == 1, words
        source = source.replace(words, others)
    machine.write_text(source, encoding="utf-8")
    return clone


def _known(engines: frozenset[int]) -> str:
    return f"KNOWN_ENGINES = frozenset({{{', '.join(str(each) for each in sorted(engines))}}})"
