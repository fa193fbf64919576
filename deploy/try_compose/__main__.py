"""docker-compose.yml tried for real: `python -m deploy.try_compose [--kinds router,api] [--images FOLDER]`.

Needs root, Debian's docker.io and docker-compose, PostgreSQL and Go; pulls nothing, ends by itself and leaves nothing.
Our image is built as it is; what it stands on is stood in for (stand_ins.py).
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import yaml

from deploy.try_compose.docker import Docker, DockerError, own_docker
from deploy.try_compose.installation import CLONE, Installation, TrialError, wait_for
from deploy.try_compose.stand_ins import NoStandInError, make_stand_ins

# The catcher last: what it has caught goes with it.
KINDS = ("router", "journey", "delivery", "api", "temporal-ui", "temporal", "postgres", "mailbox")
NEEDED = ("dockerd", "docker", "docker-compose", "containerd", "runc", "go")


def say(words: str) -> None:
    """One line, at once."""
    print(words, flush=True)


def main(arguments: Sequence[str]) -> int:
    """0 where everything promised happened."""
    words = argparse.ArgumentParser(prog="python -m deploy.try_compose")
    words.add_argument("--kinds", default=",".join(KINDS), help="whose containers are killed")
    words.add_argument("--images", type=Path, help="folder that images stay in, for the next time")
    told = words.parse_args(arguments)
    missing = [program for program in NEEDED if shutil.which(program) is None]
    if missing or os.geteuid() != 0:
        say(
            f"Needs root, and on PATH: {', '.join(NEEDED)}. Missing: {', '.join(missing) or 'root'}"
        )
        return 2
    folder = Path(tempfile.mkdtemp(prefix="clew-docker-"))
    try:
        with own_docker(folder, told.images or folder / "data") as docker:
            say(f"1. A Docker daemon of our own runs in {folder}; nothing is pulled.")
            shown = Trial(docker, folder).run(told.kinds.split(","))
    except (DockerError, NoStandInError, TrialError, TimeoutError) as error:
        say(f"NOT AS PROMISED: {error}")
        return 1
    say("Shown: " + json.dumps(shown))
    return 0


class Trial:
    """One run through it, step by step."""

    def __init__(self, docker: Docker, folder: Path) -> None:
        self._docker = docker
        self._folder = folder
        self._customers = self._mails = 0
        self._shown: dict[str, object] = {}

    def run(self, kinds: Sequence[str]) -> dict[str, object]:
        """All steps; returns what was shown."""
        self._images()
        self._clew = Installation(self._docker, self._folder / "clew")
        try:
            self._begin()
            for kind in kinds:
                self._kill(kind)
            self._freeze("journey")
            self._down_and_up()
        finally:
            self._clew.compose("down", "--volumes", "--timeout", "5")
            say("Taken down again, volumes included.")
        return self._shown

    def _images(self) -> None:
        services = yaml.safe_load((CLONE / "docker-compose.yml").read_text())["services"]
        tags = {"python": "python:3.13-slim"} | {
            image: _plain(services[service]["image"])
            for image, service in (("postgres", "postgres"), ("server", "temporal"),
                                   ("admin-tools", "temporal-schema"), ("ui", "temporal-ui"))
        }  # fmt: skip
        begun = time.monotonic()
        make_stand_ins(self._docker, tags)
        say(f"2. Stand-ins for {', '.join(tags.values())}: {time.monotonic() - begun:.0f} s.")
        begun = time.monotonic()
        command = ("build", "--network", "host", "--quiet", "--tag", "clew:latest", str(CLONE))
        self._docker.run(*command)
        size = int(self._docker.run("inspect", "--format", "{{.Size}}", "clew:latest"))
        base = int(self._docker.run("inspect", "--format", "{{.Size}}", tags["python"]))
        self._shown["image_mb_above_python"] = round((size - base) / 1e6)
        say(f"3. Our image, built of its own Dockerfile: {time.monotonic() - begun:.0f} s.")

    def _begin(self) -> None:
        begun = time.monotonic()
        self._clew.start()
        self._clew.until_well()
        self._shown["up_seconds"] = round(time.monotonic() - begun)
        count = len(self._clew.containers())
        say(
            f"4. docker-compose up: {count} containers, all healthy after {self._shown['up_seconds']} s."
        )
        self._shown["not_shut"] = self._not_shut()
        say(
            f"5. Rights looked at in each container; not as promised: {self._shown['not_shut'] or 'none'}."
        )
        if self._shown["not_shut"]:
            raise TrialError(f"not shut: {self._shown['not_shut']}")
        self._clew.ask("CLEW_CODEC_PORT", "/")
        self._key = self._clew.publish()
        first = self._order()
        took = self._mail(f"Ordered by n{first}.")
        say(f"6. A touchpoint in, a mail in the catcher {took:.1f} s later.")

    def _not_shut(self) -> list[str]:
        """Containers that are root, can write, may gain rights, or hold a secret in their environment."""
        secrets = [file.read_text() for file in (self._folder / "clew/secrets").iterdir()]
        found: list[str] = []
        for name, each in self._clew.containers().items():
            host, config = each["HostConfig"], each["Config"]
            shut = (
                host["ReadonlyRootfs"]
                and host["CapDrop"] == ["ALL"]
                and any("no-new-privileges" in option for option in host["SecurityOpt"] or ())
                and config["User"].split(":")[0] not in ("", "0", "root")
                and not any(secret in json.dumps(config["Env"]) for secret in secrets)
                and host["Memory"] > 0
            )
            if not shut:
                found.append(name)
        return found

    def _order(self) -> int:
        self._customers += 1
        self._mails += 1
        n = self._customers
        traits = {"email": f"n{n}@example.com", "first_name": f"n{n}"}
        self._clew.post(self._key, "/v1/identify", {"userId": f"c{n}", "traits": traits})
        self._clew.post(
            self._key, "/v1/track", {"userId": f"c{n}", "event": "Order Placed", "properties": {}}
        )
        return n

    def _ship(self, n: int) -> None:
        self._mails += 1
        self._clew.post(
            self._key, "/v1/track", {"userId": f"c{n}", "event": "Order Shipped", "properties": {}}
        )

    def _mail(self, subject: str, seconds: float = 120) -> float:
        return wait_for(lambda: subject in self._clew.subjects(), seconds)

    def _kill(self, kind: str) -> None:
        """Kill every container of a kind while customers are on their way; all must go on."""
        before = self._order()
        self._mail(f"Ordered by n{before}.")
        names = self._clew.of(kind)
        restarts = {name: self._clew.containers()[name]["RestartCount"] for name in names}
        for name in names:
            self._clew.kill(name)
        if kind == "mailbox":  # what it has caught goes with it: the mail must come after it
            back = self._clew.until_well()
            self._ship(before)
            took = self._mail(f"Shipped to n{before}.")
        else:
            self._ship(before)
            meanwhile = self._order()
            took = self._mail(f"Shipped to n{before}.")
            self._mail(f"Ordered by n{meanwhile}.")
            back = self._clew.until_well()
        for name, count in restarts.items():
            if self._clew.containers()[name]["RestartCount"] <= count:
                raise TrialError(f"{name} was killed and Docker did not start it again")
        self._no_double()
        self._shown[f"killed_{kind}"] = {"containers": len(names), "next_mail_s": round(took, 1)}
        say(
            f"7. {kind}: {len(names)} killed; the next mail {took:.1f} s later, "
            f"all healthy again {back:.0f} s after it."
        )

    def _no_double(self) -> None:
        caught = self._clew.subjects()
        twice = {subject for subject in caught if caught.count(subject) > 1}
        if twice:
            raise TrialError(f"sent twice: {sorted(twice)}")

    def _freeze(self, kind: str) -> None:
        """A process that is there and does nothing is found by its health check, and ended."""
        name = self._clew.of(kind)[0]
        count = self._clew.containers()[name]["RestartCount"]
        self._clew.freeze(name)
        took = wait_for(lambda: self._clew.containers()[name]["RestartCount"] > count, 180)
        self._clew.until_well()
        self._shown["frozen_back_s"] = round(took)
        say(f"8. {name} frozen: found by its health check and started again after {took:.0f} s.")

    def _down_and_up(self) -> None:
        waiting = self._order()
        self._mail(f"Ordered by n{waiting}.")
        ledger = self._clew.accepted()
        self._clew.compose("down")
        say(f"9. docker-compose down, a run waiting; the ledger has {ledger}.")
        self._clew.start()
        self._clew.until_well()
        if self._clew.accepted() != ledger:
            raise TrialError(f"the ledger changed: {ledger}, then {self._clew.accepted()}")
        self._ship(waiting)
        took = self._mail(f"Shipped to n{waiting}.")
        ledger = self._clew.accepted()
        if ledger != [("accepted", self._mails)]:
            raise TrialError(f"{self._mails} mails were due, the ledger has {ledger}")
        self._shown["runs_open"] = int(
            self._clew.sql("select count(*) from runs where state = 'open'")
        )
        say(
            f"10. Up again on the same volume: the run went on, its mail {took:.1f} s after the touchpoint."
        )
        self._shown |= {"customers": self._customers, "mails": self._mails, "lost": 0, "twice": 0}


def _plain(image: str) -> str:
    """`name:${VARIABLE:-tag}` as it is where the variable is unset."""
    if "${" not in image:
        return image
    name, _, rest = image.partition("${")
    return name + rest.partition(":-")[2].rstrip("}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
