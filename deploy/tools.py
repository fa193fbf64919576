"""The programs that tests run beside Python: where they are, and how to get what is missing.

`python -m deploy.tools` names what is missing and builds what tests share; `make test` calls it.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from workers.embedded.finding_temporal import CLONE, cache_folder

# Program -> the names it may have on PATH, and the Debian package that brings it.
PROGRAMS: dict[str, tuple[tuple[str, ...], str]] = {
    "node": (("node", "nodejs"), "nodejs"),
    "npm": (("npm",), "npm"),
    "go": (("go",), "golang-go"),
    "java": (("java",), "default-jdk-headless"),
    "mvn": (("mvn",), "maven"),
    "docker-compose": (("docker-compose",), "docker-compose"),
    "chromium": (("chromium", "chromium-browser", "google-chrome"), "chromium"),
}
TEST_SERVER_CLASS = "io.temporal.testserver.TestServer"
WRAPPER = f"""#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
exec java -cp "$here/lib/*" {TEST_SERVER_CLASS} "$@"
"""


def on_ci() -> bool:
    """Whether a missing tool is a failure rather than a skipped test."""
    return os.environ.get("CI", "").lower() == "true"


def find(name: str) -> Path | None:
    """The program's path, or None where it is missing."""
    for candidate in PROGRAMS[name][0]:
        path = shutil.which(candidate)
        if path is not None:
            return Path(path)
    return None


def remedy(names: Iterable[str]) -> str:
    """How to get what is missing, in the words of a Debian machine."""
    return "apt-get install " + " ".join(PROGRAMS[name][1] for name in names)


def build_time_skipping_server() -> Path:
    """Temporal's Java test server, from Maven's jars in our cache; returns the program to start."""
    folder = cache_folder() / "time-skipping-server"
    folder.mkdir(exist_ok=True)
    server = folder / "server.sh"
    pom = CLONE / "tests" / "time_skipping_server" / "pom.xml"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if server.exists() and server.stat().st_mtime >= pom.stat().st_mtime:
            return server
        print("Fetching the time-skipping test server with Maven (once; under a minute) ...")
        shutil.rmtree(folder / "lib", ignore_errors=True)
        subprocess.run(
            [
                "mvn", "-q", "-B", "-Dstyle.color=never", "-f", str(pom),
                "dependency:copy-dependencies",
                f"-DoutputDirectory={folder / 'lib'}",
            ],
            check=True,
        )  # fmt: skip
        server.write_text(WRAPPER)
        server.chmod(0o755)
    return server


def main() -> int:
    """Name what is missing; under CI=true that is the end of it."""
    missing = [name for name in PROGRAMS if find(name) is None]
    if missing:
        print(f"Missing: {', '.join(missing)}. To get them: {remedy(missing)}")
        if on_ci():
            return 1
        print("The tests that need them are skipped.")
    if find("java") is not None and find("mvn") is not None:
        build_time_skipping_server()
    return 0


if __name__ == "__main__":
    sys.exit(main())
