"""The installation that docker-compose.yml describes, as the trial drives it from outside."""

import base64
import json
import re
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from deploy.try_compose.docker import Docker, DockerError
from deploy.try_compose.journey import packed
from workers.embedded.child_process import free_port

CLONE = Path(__file__).resolve().parents[2]
PROJECT = "clew-trial"
TMP = "/tmp"  # noqa: S108 -- the container's own, in memory
JOBS = frozenset({"temporal-role", "temporal-schema", "prepare"})
PROFILES = ("try", "inspect")
"""The trial looks at mails and at the Web UI, as a person who tries it does."""


class TrialError(Exception):
    """Something the compose file promises did not happen; the message says what."""


class Installation:
    """A copy of the compose files in `folder`, with secrets and ports of its own."""

    def __init__(self, docker: Docker, folder: Path) -> None:
        self._docker, self._folder = docker, folder
        self._ports = {
            name: free_port()
            for name in ("CLEW_PORT", "CLEW_MAILBOX_PORT", "TEMPORAL_PORT", "CLEW_CODEC_PORT")
        }
        folder.mkdir()
        shutil.copy(CLONE / "docker-compose.yml", folder)
        shutil.copytree(CLONE / "deploy", folder / "deploy")
        docker.call(["sh", "deploy/secrets.sh", "--files"], folder=folder)
        with (folder / ".env").open("a") as env:
            env.writelines(f"{name}={port}\n" for name, port in self._ports.items())

    def compose(self, *words: str, given: bytes = b"") -> str:
        """One `docker-compose` command on it."""
        profiles = [word for profile in PROFILES for word in ("--profile", profile)]
        command = ["docker-compose", "--project-name", PROJECT, *profiles, *words]
        return self._docker.call(command, folder=self._folder, given=given)

    def start(self) -> None:
        """What a person types, but for the build."""
        try:
            self.compose("up", "--detach", "--no-build")
        except DockerError as error:
            raise TrialError(f"{error}\n{self._why()}") from None

    def containers(self) -> dict[str, dict[str, Any]]:
        """Name → what Docker knows of each container that there is."""
        ids = self._docker.run(
            "ps", "--all", "--quiet", "--filter", f"label=com.docker.compose.project={PROJECT}"
        ).split()
        told: list[dict[str, Any]] = json.loads(self._docker.run("inspect", *ids)) if ids else []
        return {each["Name"].lstrip("/"): each for each in told}

    def of(self, service: str) -> list[str]:
        """The names of a service's containers."""
        return sorted(
            name
            for name, each in self.containers().items()
            if each["Config"]["Labels"]["com.docker.compose.service"] == service
        )

    def unwell(self) -> list[str]:
        """Whoever is not healthy, and jobs that did not end well, in words."""
        return [
            f"{name}: {word}"
            for name, each in self.containers().items()
            if (word := _word(each)) not in ("healthy", "done")
        ]

    def until_well(self, seconds: float = 240.0) -> float:
        """Wait until everybody is healthy; returns how long it took."""
        try:
            return wait_for(lambda: not self.unwell(), seconds)
        except TimeoutError:
            raise TrialError(f"not healthy after {seconds:.0f} s: {self._why()}") from None

    def _why(self) -> str:
        words: list[str] = []
        for line in self.unwell():
            name = line.split(":")[0]
            words += [line, self._docker.call(["sh", "-c", f"docker logs --tail 15 {name} 2>&1"])]
        return "\n".join(words)

    def kill(self, name: str) -> None:
        """What the kernel does to a process that must end: SIGKILL to the container's first one."""
        self._signal(name, "KILL")

    def freeze(self, name: str) -> None:
        """Stop every process of a container without ending it: it is there, and does nothing."""
        top = self._docker.run("top", name, "-o", "pid").split()[1:]
        for pid in top[1:]:  # its init goes on, as after a deadlock
            self._docker.call(["kill", "-STOP", pid])

    def _signal(self, name: str, signal: str) -> None:
        pid = str(self.containers()[name]["State"]["Pid"])
        self._docker.call(["kill", f"-{signal}", pid])

    def publish(self) -> str:
        """Put the journey there and make a write key, with the image's own `clew`; returns the key."""
        api = self.of("api")[0]
        enter = ("exec", "-i", api, "/bin/sh", "/app/deploy/entrypoint.sh")
        self._docker.run(*enter, "tar", "-x", "-C", TMP, given=packed())
        self._docker.run(*enter, "clew", "publish", f"{TMP}/trial", "--state", f"{TMP}/state")
        told = self._docker.run(
            *enter, "clew", "write-key", "trial", "--json", "--state", f"{TMP}/state"
        )
        return str(json.loads(told)["write_key"])

    def post(self, key: str, path: str, body: Mapping[str, Any]) -> None:
        """Send to ingest; tried again while it cannot be reached, as any client does."""
        token = base64.b64encode(f"{key}:".encode()).decode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._ports['CLEW_PORT']}{path}",
            json.dumps(body).encode(),
            {"Authorization": f"Basic {token}", "Content-Type": "application/json"},
        )

        def sent() -> bool:
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 -- http, ours
                    return answer.status == 200
            except urllib.error.HTTPError as error:
                if error.code < 500:
                    raise TrialError(f"ingest refused: {error.read().decode()}") from None
                return False
            except OSError:
                return False

        wait_for(sent, 120)

    def ask(self, port: str, path: str = "/") -> int:
        """The HTTP status that a published port answers with."""
        with urllib.request.urlopen(
            f"http://127.0.0.1:{self._ports[port]}{path}", timeout=10
        ) as answer:
            return int(answer.status)

    def subjects(self) -> list[str]:
        """The subjects of the mails in the catcher, each as often as it is there."""
        url = f"http://127.0.0.1:{self._ports['CLEW_MAILBOX_PORT']}/mailbox"
        with urllib.request.urlopen(url, timeout=10) as answer:
            page = answer.read().decode()
        return re.findall(r"(?:Ordered by|Shipped to) n\d+\.", page)

    def accepted(self) -> list[tuple[str, int]]:
        """How the ledger has its deliveries: state and count."""
        told = self.sql("select state, count(*) from deliveries group by 1 order by 1")
        return [(state, int(n)) for state, n in (line.split("|") for line in told.splitlines())]

    def sql(self, statement: str) -> str:
        """One statement on our database, by its own socket."""
        words = ("psql", "-h", "/var/run/postgresql", "-U", "clew", "-d", "clew", "-Atc", statement)
        return self._docker.run("exec", self.of("postgres")[0], *words).strip()


def wait_for(happened: Callable[[], bool], seconds: float) -> float:
    """Ask twice a second; returns how long it took. Raises: `TimeoutError`."""
    begun = time.monotonic()
    while time.monotonic() - begun < seconds:
        try:
            if happened():
                return time.monotonic() - begun
        except (OSError, DockerError):
            pass  # not there yet, or between two lives
        time.sleep(0.5)
    raise TimeoutError(f"not within {seconds:.0f} s")


def _word(container: Mapping[str, Any]) -> str:
    state = container["State"]
    if container["Config"]["Labels"]["com.docker.compose.service"] in JOBS:
        return "done" if state["Status"] == "exited" and state["ExitCode"] == 0 else "under way"
    return str(state.get("Health", {}).get("Status", state["Status"]))
