"""The release before on the tables of this one: its own tests of its stores, with our migrations under them.

`python -m tests.production.previous_release [REF] [-- PYTEST WORDS]`; REF is a commit or tag, by default the
newest tag `v*`, and where there is none the commit before the newest migration.
"""

import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

CLONE = Path(__file__).resolve().parents[2]
MIGRATIONS = Path("stores") / "migrations"
STORES = "tests/integration/stores"


def previous(clone: Path = CLONE) -> str | None:
    """The release before; None where this is no checkout with its history."""
    tag = _git(clone, "describe", "--tags", "--abbrev=0", "--match", "v*", "HEAD^")
    if tag:
        return tag
    added = _git(
        clone, "log", "-1", "--diff-filter=A", "--format=%h", "--", f"{MIGRATIONS}/versions"
    )
    return _git(clone, "rev-parse", "--short", f"{added}^") if added else None


def lay_out(ref: str, folder: Path, clone: Path = CLONE) -> None:
    """The code of a commit in a folder, on the migrations of this checkout."""
    packed = subprocess.run(
        ["git", "-C", str(clone), "archive", ref], check=True, capture_output=True
    ).stdout
    with tarfile.open(fileobj=BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
    shutil.rmtree(folder / MIGRATIONS)
    shutil.copytree(clone / MIGRATIONS, folder / MIGRATIONS)


def run_its_tests(ref: str, words: Sequence[str]) -> int:
    """Its tests of its stores, on our tables; pytest's exit code."""
    folder = Path(tempfile.mkdtemp(prefix="release-"))
    try:
        lay_out(ref, folder)
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words]
        return subprocess.run(command, cwd=folder, check=False).returncode
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _git(clone: Path, *words: str) -> str:
    told = subprocess.run(
        ["git", "-C", str(clone), *words], check=False, capture_output=True, text=True
    )
    return told.stdout.strip() if told.returncode == 0 else ""


def main(arguments: Sequence[str]) -> int:
    """The tests of the release before; says which one it is."""
    own, words = list(arguments), [STORES]
    if "--" in own:
        place = own.index("--")
        own, words = own[:place], own[place + 1 :]
    ref = own[0] if own else previous()
    if ref is None:
        print("This is no checkout with its history: name a commit.", file=sys.stderr)
        return 2
    if not _git(CLONE, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}"):
        print(f"{ref} is no commit of this checkout.", file=sys.stderr)
        return 2
    print(f"The code of {ref} on the tables of this checkout:", flush=True)
    return run_its_tests(ref, words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
