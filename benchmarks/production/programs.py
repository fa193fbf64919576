"""Where the production server of Temporal and its schema tool come from: PATH, our cache, else Go builds them.

`python -m benchmarks.production.programs` gets them, once.
"""

import fcntl
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from workers.embedded.finding_temporal import Say, TemporalNotFoundError, cache_folder
from workers.embedded.go_install import GoBuildError, go_install

SERVER_VERSION = "v1.29.1"
GO_MODULE = "go.temporal.io/server"
SERVER, TOOL = "temporal-server", "temporal-sql-tool"
_BUILT_FROM = {SERVER: "cmd/server", TOOL: "cmd/tools/sql"}


@dataclass(frozen=True)
class Programs:
    """The server, and the tool that makes its tables (which carries their definition within)."""

    server: Path
    tool: Path
    source: str

    def version(self) -> str:
        """What the server says of itself, such as `1.29.1`."""
        told = subprocess.run(
            [self.server, "--version"], check=True, capture_output=True, text=True
        )
        return told.stdout.split()[-1]


def find_programs(say: Say = print) -> Programs:
    """Both programs, by the first way that works here; what Go builds stays in our cache.

    Raises:
        TemporalNotFoundError: none of them; the message names what would help.
    """
    server, tool = shutil.which(SERVER), shutil.which(TOOL)
    if server is not None and tool is not None:
        return Programs(Path(server), Path(tool), "PATH")
    kept = Programs(_cached(SERVER), _cached(TOOL), "cache")
    with (cache_folder() / "temporal-server.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two processes at once: the second finds them cached
        if not (kept.server.is_file() and kept.tool.is_file()):
            _build(say)
    return kept


def _cached(name: str) -> Path:
    return cache_folder() / f"{name}-{SERVER_VERSION}"


def _build(say: Say) -> None:
    go = shutil.which("go")
    if go is None:
        raise TemporalNotFoundError(
            f"The production server of Temporal is not here. Put {SERVER} and {TOOL} on PATH, "
            "or install Go 1.24 or newer, and they are built from source."
        )
    say(
        f"Building Temporal's production server {SERVER_VERSION} and its schema tool with Go "
        "(once; about 6 minutes on two cores) ..."
    )
    wanted = {
        f"{GO_MODULE}/{path}@{SERVER_VERSION}": _cached(name) for name, path in _BUILT_FROM.items()
    }
    try:
        go_install(go, wanted)
    except GoBuildError as error:
        raise TemporalNotFoundError(
            f"Go could not build Temporal's production server. Its last words: {error}"
        ) from error


def main() -> int:
    """Find or build both."""
    try:
        found = find_programs()
    except TemporalNotFoundError as missing:
        print(missing, file=sys.stderr)
        return 1
    print(f"Temporal {found.version()} is ready ({found.source}): {found.server}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
