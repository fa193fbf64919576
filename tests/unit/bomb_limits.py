"""Bombs set off each in a process of its own, which the system ends at so much CPU and more memory.

What is promised is that no author and no touchpoint can eat more than that; so what is looked at is
whether a bomb ended by itself, and nothing is timed.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

SECONDS, MEGABYTES = 1, 100
"""What a condition or a template may take."""


def set_off(
    bombs: Iterable[str],
    ignite: Callable[[str], str],
    seconds: int = SECONDS,
    megabytes: int = MEGABYTES,
) -> None:
    """Print a line of JSON for each bomb: how it ended, and for people what it took.

    `ignite` sets one off and says what became of it. It must have done something harmless before,
    so that what it loads and compiles once is not counted.
    """
    for name in bombs:
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            _limit(seconds, megabytes)
            print(json.dumps({"name": name, **_measured(name, ignite)}), flush=True)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            how = signal.Signals(os.WTERMSIG(status)).name
            print(json.dumps({"name": name, "outcome": f"ended by {how}"}))


def outcomes(program: str) -> dict[str, str]:
    """Run a module that sets off bombs, in a process that has no threads, and say how each ended."""
    run = subprocess.run(
        [sys.executable, "-m", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    told = [json.loads(line) for line in run.stdout.splitlines()]
    return {line["name"]: line["outcome"] for line in told}


def _limit(seconds: int, megabytes: int) -> None:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    memory = pages * resource.getpagesize() + megabytes * 1_000_000
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _measured(name: str, ignite: Callable[[str], str]) -> Mapping[str, object]:
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    try:
        outcome = ignite(name)
    except MemoryError:
        outcome = "out of memory"
    return {
        "outcome": outcome,
        "seconds": round(time.process_time() - began, 3),
        "megabytes": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024,
    }
