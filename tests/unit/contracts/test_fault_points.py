"""A process is killed where a test names it, and nowhere where nobody does."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from contracts import fault_points

PASSES = """
import os
from contracts.fault_points import arm, reach
arm(os.environ)
for _ in range(5):
    reach("router.after_lease")
    print("passed", flush=True)
"""


def passes(marks: Path, points: str) -> tuple[int, int]:
    """How a process that passes the point five times ends, and how often it passed."""
    clone = Path(__file__).resolve().parents[3]
    ended = subprocess.run(
        [sys.executable, "-c", PASSES],
        cwd=clone,
        env={"CLEW_FAULT_POINTS": points, "CLEW_FAULT_MARKS": str(marks), "PYTHONPATH": str(clone)},
        check=False,
        capture_output=True,
        text=True,
    )
    return ended.returncode, ended.stdout.count("passed")


def test_a_process_is_killed_at_its_nth_time_and_so_often_in_all(tmp_path: Path) -> None:
    points = "router.after_lease:3:2"
    killed = (-signal.SIGKILL, 2)

    assert [passes(tmp_path, points) for _ in range(3)] == [killed, killed, (0, 5)]
    assert sorted(mark.name for mark in tmp_path.iterdir()) == [
        "router.after_lease.1",
        "router.after_lease.2",
    ]


def test_a_process_may_stall_there_instead(tmp_path: Path) -> None:
    assert passes(tmp_path, "router.after_lease:1:2:0.01") == (0, 5)
    assert len([*tmp_path.iterdir()]) == 2


def test_nothing_is_killed_where_nothing_is_armed(tmp_path: Path) -> None:
    fault_points.arm({})
    fault_points.reach("router.after_lease")

    assert passes(tmp_path, "") == (0, 5)
    assert passes(tmp_path, "router.after_signals:1") == (0, 5)


def test_a_fault_point_that_nobody_named_is_refused() -> None:
    with pytest.raises(ValueError, match=r"there is no fault point 'router\.lunch'"):
        fault_points.arm({"CLEW_FAULT_POINTS": "router.lunch:1", "CLEW_FAULT_MARKS": "."})
