"""A Docker daemon of our own, begun and ended by hand, with everything it keeps in one folder."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 60.0


class DockerError(Exception):
    """Docker refused; the message has its last words."""


@dataclass(frozen=True)
class Docker:
    """Commands to the daemon at `host`."""

    host: str

    @property
    def environment(self) -> dict[str, str]:
        """What a client of this daemon needs; nothing of ours that a compose file could read."""
        kept = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/root")}
        return {**kept, "DOCKER_HOST": self.host, "DOCKER_BUILDKIT": "0"}

    def run(self, *words: str, given: bytes = b"") -> str:
        """One `docker` command; returns what it said."""
        return self.call(["docker", *words], given=given)

    def call(
        self, command: Sequence[str], *, folder: Path | None = None, given: bytes = b""
    ) -> str:
        """One program that speaks to the daemon; returns what it said.

        Raises:
            DockerError: it failed; the message has its last words.
        """
        done = subprocess.run(
            command, env=self.environment, cwd=folder, input=given, check=False, capture_output=True
        )
        if done.returncode != 0:
            words = (done.stdout + done.stderr).decode(errors="replace").strip()
            raise DockerError(f"{' '.join(command)}: {words[-1500:]}")
        return done.stdout.decode(errors="replace")


@contextmanager
def own_docker(folder: Path, data: Path) -> Generator[Docker]:
    """A daemon for as long as the context lasts; needs root. It touches no firewall.

    Images are in `data`; where that is not within `folder`, they stay.
    """
    host = f"unix://{folder}/docker.sock"
    log = folder / "dockerd.log"
    with log.open("wb") as words:
        daemon = subprocess.Popen(
            ["dockerd", "--host", host, "--data-root", data, "--exec-root", folder / "exec",
             "--pidfile", folder / "dockerd.pid", "--iptables=false", "--ip6tables=false", "--bridge=none"],
            stdout=words, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    docker = Docker(host)
    try:
        _wait(docker, daemon, log)
        yield docker
    finally:
        daemon.send_signal(signal.SIGTERM)
        try:
            daemon.wait(timeout=60)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()
        _unmount(folder)
        shutil.rmtree(folder, ignore_errors=True)


def _wait(docker: Docker, daemon: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and daemon.poll() is None:
        try:
            docker.run("version")
            return
        except DockerError:
            time.sleep(0.5)
    raise DockerError(f"dockerd did not start: {log.read_text(errors='replace')[-1500:]}")


def _unmount(folder: Path) -> None:
    """What a daemon that was cut off left mounted below its folder."""
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for mount in sorted((each for each in mounts if each.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", "--lazy", mount], check=False, capture_output=True)
