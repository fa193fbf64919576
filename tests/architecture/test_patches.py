"""What a run does is changed under a new engine: the build before could not replay the marker of a patch."""

import re
from pathlib import Path

WORKFLOWS = Path(__file__).parents[2] / "workflows"

ALLOWED = {
    "definition-was-missing": "since before the first release: every build knows it",
}


def test_no_patch_comes_into_workflows() -> None:
    found = {
        name
        for file in WORKFLOWS.rglob("*.py")
        for name in re.findall(r"\bpatched\(\s*[\"']([^\"']+)", file.read_text(encoding="utf-8"))
    }
    assert found == set(ALLOWED)
