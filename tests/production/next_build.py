"""The next build of Clew: this checkout in a folder of its own, with an engine more."""

import shutil
from pathlib import Path

CLONE = Path(__file__).resolve().parents[2]
LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "tests", "docs", "node_modules", "target")
ENGINE = "ENGINE = 1\n"
KNOWN = "KNOWN_ENGINES = frozenset({1})"


def lay_out_next_build(folder: Path) -> Path:
    """A copy of this checkout whose code knows engine 2 as well; its build id is another one."""
    clone = folder / "next"
    shutil.copytree(CLONE, clone, ignore=LEFT_OUT)
    machine = clone / "journey" / "machine.py"
    source = machine.read_text(encoding="utf-8")
    assert source.count(ENGINE) == source.count(KNOWN) == 1
    source = source.replace(ENGINE, "ENGINE = 2\n")
    machine.write_text(source.replace(KNOWN, "KNOWN_ENGINES = frozenset({1, 2})"), encoding="utf-8")
    return clone
