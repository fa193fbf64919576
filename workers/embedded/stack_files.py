"""What an installation on one machine keeps in its folder, and who may use that folder now."""

import fcntl
import json
import os
import secrets
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO

from workers.embedded.child_process import EmbeddedServerError, free_port, port_taken


@dataclass(slots=True, frozen=True, kw_only=True)
class Ports:
    """Where each server listens; 0 takes a free one."""

    temporal: int = 7233
    temporal_ui: int = 8233
    api: int = 8000
    smtp: int = 1025
    mailbox: int = 8025
    codec: int = 8081

    @classmethod
    def free(cls) -> "Ports":
        """Free ports throughout, such as for a test."""
        return cls(temporal=0, temporal_ui=0, api=0, smtp=0, mailbox=0, codec=0)

    def settled(self) -> "Ports":
        """The same ports, with a free one in place of each that is 0 or taken."""
        given = set[int]()
        settled: dict[str, int] = {}
        for name, port in asdict(self).items():
            while port == 0 or port in given or port_taken(port):
                port = free_port()  # noqa: PLW2901 -- until one is free
            given.add(port)
            settled[name] = port
        return replace(self, **settled)


@dataclass(slots=True, frozen=True, kw_only=True)
class Addresses:
    """Where everything of a running installation is."""

    database_url: str
    temporal_address: str
    temporal_ui: str | None
    temporal_namespace: str
    api: str
    mailbox: str
    smtp_url: str
    write_key: str
    state: str
    staff_token: str = ""
    codec: str = ""


class StackFiles:
    """The folder of an installation: `.clew` unless said otherwise."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._lock: IO[str] | None = None

    @property
    def logs(self) -> Path:
        """What each process had to say."""
        return self.folder / "logs"

    @property
    def mailbox(self) -> Path:
        """The mails that were caught."""
        return self.folder / "mailbox"

    @property
    def _addresses(self) -> Path:
        return self.folder / "stack.json"

    def lock(self) -> None:
        """Take the folder for this process.

        Raises:
            EmbeddedServerError: another `up` runs there.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self.logs.mkdir(exist_ok=True)
        lock = (self.folder / "lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            lock.close()
            raise EmbeddedServerError(
                f"Clew runs in {self.folder} already (process {holder}). Stop that one with "
                "Ctrl-C, or give this one a folder of its own with --state."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock

    def unlock(self) -> None:
        """Leave the folder to others."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def ports(self, wished: Ports) -> Ports:
        """The ports of last time where they are free, else those wished for, else free ones."""
        try:
            kept = json.loads((self.folder / "ports.json").read_text())
            wished = replace(wished, **{name: int(port) for name, port in kept.items()})
        except (OSError, ValueError, TypeError):
            pass  # the first start, or a file that somebody else wrote
        settled = wished.settled()
        (self.folder / "ports.json").write_text(json.dumps(asdict(settled)))
        return settled

    def ports_in_use(self) -> Ports:
        """The ports that were settled when the stack was started."""
        return Ports(**json.loads((self.folder / "ports.json").read_text()))

    def secret(self, name: str = "secret") -> str:
        """A secret of this installation, made on the first start."""
        path = self.folder / name
        if not path.exists():
            unfinished = path.with_suffix(".new")
            unfinished.touch(mode=0o600)
            unfinished.write_text(secrets.token_hex(32))
            unfinished.replace(path)
        return path.read_text().strip()

    def tell(self, addresses: Addresses) -> None:
        """Let commands find what runs here."""
        unfinished = self._addresses.with_suffix(".new")
        unfinished.touch(mode=0o600)
        unfinished.write_text(json.dumps({**asdict(addresses), "pid": os.getpid()}, indent=1))
        unfinished.replace(self._addresses)

    def forget(self) -> None:
        """Nothing runs here any more."""
        self._addresses.unlink(missing_ok=True)


def running_stack(folder: Path) -> Addresses | None:
    """Where the installation is that runs in this folder; None where none does."""
    try:
        told = json.loads((folder / "stack.json").read_text())
        os.kill(int(told.pop("pid")), 0)
        return Addresses(**told)
    except (OSError, ValueError, TypeError, KeyError):
        return None
