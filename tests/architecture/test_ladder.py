"""Imports point down only, and no room is outside the ladder."""

import subprocess
import tomllib
from pathlib import Path

CLONE = Path(__file__).resolve().parents[2]
NOT_ROOMS = {"benchmarks", "deploy", "docs", "examples", "tests"}


def test_imports_point_down_the_ladder() -> None:
    lint = subprocess.run(
        [CLONE / ".venv" / "bin" / "lint-imports", "--no-cache"],
        cwd=CLONE,
        check=False,
        capture_output=True,
        text=True,
    )

    assert lint.returncode == 0, lint.stdout


def test_every_room_stands_on_the_ladder() -> None:
    rooms = {path.parent.name for path in CLONE.glob("*/__init__.py")} - NOT_ROOMS
    project = tomllib.loads((CLONE / "pyproject.toml").read_text())
    ladder = project["tool"]["importlinter"]["contracts"][0]["layers"]

    assert {name.strip() for layer in ladder for name in layer.split("|")} == rooms
    assert set(project["tool"]["importlinter"]["root_packages"]) == rooms
    assert set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) == rooms


def test_every_room_says_its_one_job() -> None:
    for room in CLONE.glob("*/__init__.py"):
        assert room.read_text().startswith('"""'), f"{room.parent.name} has no docstring"
