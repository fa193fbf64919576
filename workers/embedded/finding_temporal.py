"""Where the Temporal server comes from (docs/decisions/0002-finding-temporal.md)."""

import asyncio
import fcntl
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from workers.embedded.go_install import GoBuildError, go_install

CLI_VERSION = "v1.5.1"
GO_MODULE = "github.com/temporalio/cli/cmd/temporal"
DOWNLOAD_HOST = "temporal.download"
DOWNLOAD_SECONDS = 180
REACH_SECONDS = 3

CLONE = Path(__file__).resolve().parents[2]

Say = Callable[[str], None]


class TemporalNotFoundError(Exception):
    """No Temporal server on this machine, and none could be had; the message has the remedies."""


@dataclass(frozen=True)
class FoundTemporal:
    """A server that runs already (`address`), or the program that can be one (`executable`)."""

    source: str
    address: str | None = None
    executable: Path | None = None


def cache_folder() -> Path:
    """Where downloaded and built tools are kept: `CLEW_CACHE`, else `.cache/` in the clone."""
    folder = Path(os.environ.get("CLEW_CACHE") or CLONE / ".cache")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def find_temporal(say: Say = print) -> FoundTemporal:
    """A Temporal server, by the first of the ways that works here.

    The order: `TEMPORAL_ADDRESS`; `temporal` on PATH; our cache; the SDK's own download;
    `go install`. The last two leave what they got in our cache.

    Raises:
        TemporalNotFoundError: none of them; the message names what would help.
    """
    address = os.environ.get("TEMPORAL_ADDRESS")
    if address:
        return FoundTemporal("TEMPORAL_ADDRESS", address=address)
    return find_executable(say)


def find_executable(say: Say = print) -> FoundTemporal:
    """The `temporal` program, as `find_temporal` finds it, whatever `TEMPORAL_ADDRESS` says."""
    on_path = shutil.which("temporal")
    if on_path is not None:
        return FoundTemporal("PATH", executable=Path(on_path))
    with (cache_folder() / "temporal.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two processes at once: the second finds it cached
        cached = _cached()
        if cached.is_file():
            return FoundTemporal("cache", executable=cached)
        if _download(say):
            return FoundTemporal("download", executable=cached)
        if _build(say):
            return FoundTemporal("go install", executable=cached)
    raise TemporalNotFoundError(
        "No Temporal server found. Any one of these helps: set TEMPORAL_ADDRESS to a running "
        f"server; put the Temporal CLI ({CLI_VERSION} or newer) on PATH; allow this machine to "
        f"reach {DOWNLOAD_HOST}; or install Go 1.24 or newer, and it is built from source."
    )


def _cached() -> Path:
    return cache_folder() / f"temporal-{CLI_VERSION}"


def _download(say: Say) -> bool:
    if not _reachable():
        return False
    say(f"Downloading Temporal {CLI_VERSION} (about 60 MB, once) ...")
    with tempfile.TemporaryDirectory(dir=cache_folder()) as folder:
        # In a process of its own: the SDK's download takes no time-out and starts the server too.
        command = [sys.executable, "-m", "workers.embedded.finding_temporal", folder]
        try:
            subprocess.run(
                command, cwd=CLONE, timeout=DOWNLOAD_SECONDS, check=True, capture_output=True
            )
        except (subprocess.SubprocessError, OSError):
            say("The download did not work.")
            return False
        files = [path for path in Path(folder).iterdir() if os.access(path, os.X_OK)]
        if len(files) != 1:
            return False
        files[0].rename(_cached())
    return True


def _reachable() -> bool:
    if os.environ.get("HTTPS_PROXY") or os.environ.get("https_proxy"):
        return True
    try:
        with socket.create_connection((DOWNLOAD_HOST, 443), timeout=REACH_SECONDS):
            return True
    except OSError:
        return False


def _build(say: Say) -> bool:
    go = shutil.which("go")
    if go is None:
        return False
    say(f"Building Temporal {CLI_VERSION} with Go (once; about 5 minutes on two cores) ...")
    try:
        go_install(go, {f"{GO_MODULE}@{CLI_VERSION}": _cached()})
    except GoBuildError as error:
        say(f"The build did not work: {error}")
        return False
    return True


async def _download_with_sdk(folder: str) -> None:
    from temporalio.testing import WorkflowEnvironment

    environment = await WorkflowEnvironment.start_local(
        download_dest_dir=folder, dev_server_download_version=CLI_VERSION
    )
    await environment.shutdown()


def main() -> int:
    """Without arguments: find or get Temporal, as `make install` does."""
    if len(sys.argv) > 1:
        asyncio.run(_download_with_sdk(sys.argv[1]))
        return 0
    try:
        found = find_temporal()
    except TemporalNotFoundError as missing:
        print(missing, file=sys.stderr)
        return 1
    if found.source in ("download", "go install"):
        print(f"Temporal is ready: {found.executable}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
