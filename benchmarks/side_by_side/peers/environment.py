"""Where the other engines come from: an environment of their own in our cache, made on demand; none is part of Clew."""

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.side_by_side.contender import NotHereError
from workers.embedded.finding_temporal import cache_folder

HERE = Path(__file__).parent
UV = Path(sys.executable).with_name("uv")


def peers_python() -> Path:
    """The Python in which DBOS, procrastinate, Celery and Restate's SDK are. Raises: `NotHereError` in words."""
    pinned = HERE / "requirements.txt"
    folder = _named("peers", pinned)
    with _Locked(folder):
        if not (folder / "made").exists():
            print("Making an environment for the other engines (once; a minute) ...", flush=True)
            remedy = f"uv and the package index are needed; see {pinned}"
            shutil.rmtree(folder, ignore_errors=True)
            _run([str(UV), "venv", "--quiet", "--python", sys.executable, str(folder)], {}, remedy)
            words = ["pip", "install", "--quiet", "--require-hashes", "-r", str(pinned)]
            _run([str(UV), *words], {"VIRTUAL_ENV": str(folder)}, remedy)
            (folder / "made").touch()
    return folder / "bin" / "python"


def restate_server() -> Path:
    """Restate's server: on PATH, else from npm. Raises: `NotHereError` in words."""
    if found := shutil.which("restate-server"):
        return Path(found)
    folder = _named("restate", HERE / "package-lock.json")
    machine = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    program = folder / f"node_modules/@restatedev/restate-server-linux-{machine}/bin/restate-server"
    with _Locked(folder):
        if not program.exists():
            print("Getting Restate's server from npm (once; 60 MB) ...", flush=True)
            folder.mkdir(exist_ok=True)
            for name in ("package.json", "package-lock.json"):
                shutil.copy(HERE / name, folder)
            words = ["npm", "ci", "--silent", "--ignore-scripts", "--prefix", str(folder)]
            _run(words, {}, "npm and its registry are needed, or restate-server on PATH")
    return program


def redis_server() -> Path:
    """Redis. Raises: `NotHereError` in words."""
    if found := shutil.which("redis-server"):
        return Path(found)
    raise NotHereError("there is no redis-server on PATH: apt-get install redis-server")


def versions_of(python: Path, *packages: str) -> Mapping[str, str]:
    """What is installed there."""
    code = "import importlib.metadata as m, sys; print(*(m.version(p) for p in sys.argv[1:]))"
    told = subprocess.run(
        [python, "-c", code, *packages], check=True, capture_output=True, text=True
    )
    return dict(zip(packages, told.stdout.split(), strict=True))


def _named(what: str, lock: Path) -> Path:
    """A folder of the cache that is another one as soon as what is locked is."""
    return cache_folder() / f"{what}-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"


class _Locked:
    """Two processes at once: the second finds it made."""

    def __init__(self, folder: Path) -> None:
        self._file = folder.with_suffix(".lock").open("w")

    def __enter__(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _run(command: Sequence[str], settings: Mapping[str, str], remedy: str) -> None:
    try:
        done = subprocess.run(
            command, env={**os.environ, **settings}, check=False, capture_output=True, text=True
        )
    except FileNotFoundError as missing:
        raise NotHereError(f"there is no {missing.filename}: {remedy}") from missing
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()[-300:]
        raise NotHereError(f"{Path(command[0]).name} failed: {said} ({remedy})")
