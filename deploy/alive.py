"""Whether the process of this container lives: `python -m deploy.alive [PORT ...]`, as its health check.

It lives if it touched its `CLEW_READY_FILE` in the last 15 seconds, and listens on each port. Docker does not
restart what is unhealthy: a process that worked once and gave no sign for a minute is killed here, and its
restart policy brings it back.
"""

import os
import signal
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path

FRESH_SECONDS = 15.0
STUCK_SECONDS = 60.0


def silent_for(file: Path, now: float) -> float | None:
    """Seconds since the last sign of life; none where there was none yet."""
    try:
        return now - file.stat().st_mtime
    except FileNotFoundError:
        return None


def listens(port: int) -> bool:
    """Whether somebody listens on the port of this container."""
    with socket.socket() as probe:
        probe.settimeout(3)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def carried_by_init(proc: Path) -> list[int]:
    """The processes that the container's init began: ours, and nobody who looks in from outside."""
    found: list[int] = []
    for status in proc.glob("[0-9]*/status"):
        try:
            lines = status.read_text().splitlines()
        except OSError:
            continue  # it ended meanwhile
        if "PPid:\t1" in lines:
            found.append(int(status.parent.name))
    return found


def main(arguments: Sequence[str]) -> int:
    """0 where it lives, 1 where not; what is wrong is printed, for `docker inspect`."""
    silent = silent_for(Path(os.environ["CLEW_READY_FILE"]), time.time())
    if silent is None:
        print("not ready yet")
        return 1
    if silent > STUCK_SECONDS:
        print(f"no sign of life for {silent:.0f} s: ended, to be restarted")
        for process in carried_by_init(Path("/proc")):
            os.kill(process, signal.SIGKILL)
        return 1
    if silent > FRESH_SECONDS:
        print(f"no sign of life for {silent:.0f} s")
        return 1
    deaf = [port for port in arguments if not listens(int(port))]
    if deaf:
        print(f"nobody listens on {', '.join(deaf)}")
    return 1 if deaf else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
