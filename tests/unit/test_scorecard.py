"""What the fault tests found is kept where it was asked for, and nowhere else."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.scorecard import LINES, page

CLONE = Path(__file__).resolve().parents[2]
FOUND = """
from pathlib import Path

from tests.scorecard import LINES, page
from tests import scorecard


def test_found(tmp_path_factory):
    scorecard.KEPT = Path({kept!r})
    scorecard.keep("R4", {{"stalls": 40}}, met=True)
"""


def _kept(folder: Path, **asked: str) -> dict[str, object]:
    """What a test run with these settings keeps, under the conftest of all tests."""
    kept, test = folder / "kept.json", folder / "test_found.py"
    test.write_text(FOUND.format(kept=str(kept)))
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "tests.conftest",
        "--rootdir",
        str(CLONE),
    ]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CLEW_")} | asked
    subprocess.run(
        [*command, str(test)], cwd=CLONE, env=environment, check=True, capture_output=True
    )
    return json.loads(kept.read_text()) if kept.is_file() else {}


def test_a_line_is_kept_where_a_scorecard_is_asked_for(tmp_path: Path) -> None:
    assert _kept(tmp_path) == {}
    line = _kept(tmp_path, CLEW_SCORECARD="1")["R4"]
    assert isinstance(line, dict)
    assert (line["stalls"], line["met"]) == (40, True)
    assert line["date"]
    assert line["commit"]


def test_a_line_that_is_not_met_says_why_and_what_was_found() -> None:
    told = {
        "kills": 5,
        "killed": {"journey kill": 3, "delivery kill": 2},
        "met": False,
        "why": "5 kills of 50",
        "date": "2026-03-02",
        "commit": "abc1234",
    }
    shown = page({"R1": told})

    assert "| **no**: 5 kills of 50 | 2026-03-02, abc1234 |" in shown
    assert "| killed | journey kill 3, delivery kill 2 |" in shown
    assert shown.count("not measured yet") == len(LINES) - 1
