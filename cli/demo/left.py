"""What a demo leaves in its folder: that it is a demo's, and the time that its runs' clock showed when it ended."""

import json
from datetime import UTC, datetime
from pathlib import Path

from contracts.clock import RunClock

_FILE = "demo.json"
_SLOWEST = 0.01
"""A clock cannot stand still; this one takes a hundred minutes for one."""


def is_demo(folder: Path) -> bool:
    """Whether a demo made this folder."""
    return (folder / _FILE).is_file()


def leave(folder: Path, ended: datetime | None = None) -> None:
    """Say that a demo made it and, once it is over, what the clock of its runs showed."""
    told = {"made_by": "clew demo flights"}
    if ended is not None:
        told["ended"] = ended.isoformat()
    (folder / _FILE).write_text(json.dumps(told) + "\n")


def clock_of(folder: Path) -> RunClock | None:
    """A clock that shows the end of the demo, for who looks at it later; None where none came to an end here."""
    try:
        ended = json.loads((folder / _FILE).read_text())["ended"]
        return RunClock(
            wall_epoch=datetime.now(UTC), run_epoch=datetime.fromisoformat(ended), factor=_SLOWEST
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
