"""The image holds what works for customers, and nothing that is for trying, measuring or testing."""

import ast
import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

CLONE = Path(__file__).resolve().parents[2]
LEFT_OUT = ("tests", "benchmarks", "examples", "docs", "deploy/try_compose", "secrets", ".env")


def ignored() -> list[str]:
    lines = (CLONE / ".dockerignore").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """The top of the tree as `COPY . .` takes it."""
    for entry in CLONE.iterdir():
        if not any(fnmatch(entry.name, pattern) for pattern in ignored()):
            (tmp_path / entry.name).symlink_to(entry)
    return tmp_path


def ran(image: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A command of the image: the locked packages are there, the checkout beside them is not."""
    packages = sysconfig.get_paths()["purelib"]
    return subprocess.run(
        [sys.executable, "-S", *words],
        cwd=image,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{image}{os.pathsep}{packages}"},
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_what_is_for_trying_measuring_and_testing_is_left_out(image: Path) -> None:
    assert set(LEFT_OUT) <= set(ignored())
    assert (image / "workers").is_dir()
    assert not [name for name in LEFT_OUT[:4] if (image / name).exists()]


def test_nothing_that_is_in_the_image_begins_by_importing_what_is_not() -> None:
    """But for the parts of the demo, which is asked first whether there are examples."""
    found = [
        f"{path.relative_to(CLONE)}: {name}"
        for room in ("activities", "api", "channels", "cli", "console", "contracts", "deploy", "insight",
                     "journey", "routing", "stores", "workers", "workflows")
        for path in sorted((CLONE / room).rglob("*.py"))
        if not path.is_relative_to(CLONE / "deploy/try_compose")
        if not path.is_relative_to(CLONE / "cli/demo")
        for name in imported_at_once(ast.parse(path.read_text(encoding="utf-8")))
        if name.partition(".")[0] in ("tests", "benchmarks", "examples")
    ]  # fmt: skip

    assert found == []


def imported_at_once(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


@pytest.mark.parametrize(
    "words",
    [("demo", "flights"), ("backtest", "{journey}", "--events", "flights")],
    ids=["demo", "backtest"],
)
def test_a_command_that_needs_examples_says_so_in_the_image(
    image: Path, words: tuple[str, ...]
) -> None:
    journey = str(CLONE / "examples/flight")
    told = ran(
        image,
        "-c",
        "from cli.main import main; main()",
        *(word.format(journey=journey) for word in words),
    )

    assert told.returncode == 1, told.stderr
    assert "the image holds no examples" in told.stderr
    assert "Traceback" not in told.stderr


@pytest.mark.parametrize("process", ["api", "router", "journey", "delivery", "inbound", "codec"])
def test_every_process_begins_in_the_image_and_asks_for_its_settings(
    image: Path, process: str
) -> None:
    told = ran(image, "-m", "workers", process)

    assert told.returncode == 2, told.stderr
    assert "CLEW_DATABASE_URL is not set" in told.stderr
