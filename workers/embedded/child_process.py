"""A server as our child: it logs to a file, hears no Ctrl-C, and never outlives its parent."""

import asyncio
import ctypes
import os
import pwd
import secrets
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_NICE = 5
_OUR_PORTS = range(20_000, 32_000)
_LIBC = ctypes.CDLL(None)


class EmbeddedServerError(Exception):
    """An embedded server could not be started; the message says why and where its log is."""


class ChildProcess:
    """One server process, started by us and ended by its own pid."""

    def __init__(
        self, process: asyncio.subprocess.Process, command: str, log: Path, log_start: int
    ) -> None:
        self._process = process
        self._command = command
        self.log = log
        self._log_start = log_start

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.returncode is None

    def check_running(self) -> None:
        """Refuse to wait for a process that has ended.

        Raises:
            EmbeddedServerError: it has ended; the message holds the last lines of its log.
        """
        if not self.running:
            raise EmbeddedServerError(
                f"{self._command} ended with code {self._process.returncode}. Its last words "
                f"in {self.log}:\n" + "\n".join(self.said().splitlines()[-15:])
            )

    def said(self) -> str:
        """What it has written to its log since it was started."""
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

    async def until_ready(self, file: Path, seconds: float) -> None:
        """Wait for the file by which it says that it works; one that does not come is ended.

        Raises:
            EmbeddedServerError: it ended, or did not come up; the message says where its log is.
        """
        try:
            async with asyncio.timeout(seconds):
                while not file.exists():  # noqa: ASYNC240 -- a local file
                    self.check_running()
                    await asyncio.sleep(0.05)
        except TimeoutError:
            await self.kill()
            raise EmbeddedServerError(
                f"{self.log.stem} did not begin to work within {seconds:g} s; see {self.log}"
            ) from None

    async def stop(self, ask: signal.Signals, patience_seconds: float) -> None:
        """Ask it to end; after `patience_seconds` end it."""
        self._signal(ask)
        try:
            await asyncio.wait_for(self._process.wait(), patience_seconds)
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """End it at once, as a crash would (SIGKILL)."""
        self._signal(signal.SIGKILL)
        await self._process.wait()

    async def wait(self) -> int:
        """Wait until it ends, however that comes; returns its exit code."""
        return await self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        if self.running:
            try:
                self._process.send_signal(number)
            except ProcessLookupError:
                return


async def spawn(
    command: Sequence[str],
    *,
    log: Path,
    when_parent_dies: signal.Signals,
    user: pwd.struct_passwd | None = None,
    environment: Mapping[str, str] | None = None,
    gives_way: bool = False,
) -> ChildProcess:
    """Start `command` in a session of its own, so that Ctrl-C in a terminal reaches only us.

    `gives_way`: where processors are scarce, whoever answers somebody who waits comes first.

    Call it from a thread that lives as long as the server should: Linux sends
    `when_parent_dies` when the *thread* that started the child ends.
    """
    with log.open("ab") as output:
        log_start = output.tell()
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env=None if environment is None else dict(environment),
            preexec_fn=_before_exec(when_parent_dies, user, gives_way=gives_way),
        )
    return ChildProcess(process, Path(command[0]).name, log, log_start)


def become(user: pwd.struct_passwd) -> None:
    """Give up root for `user`; meant for `preexec_fn`."""
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)


def _give_way() -> None:
    """Be nice, to processes of other sessions too: Linux weighs a whole session where it groups them by it."""
    os.nice(_NICE)
    with suppress(OSError), Path("/proc/self/autogroup").open("w") as group:
        group.write(str(_NICE))


def _before_exec(
    when_parent_dies: signal.Signals, user: pwd.struct_passwd | None, *, gives_way: bool
) -> Callable[[], None]:
    parent = os.getpid()

    def prepare() -> None:
        if gives_way:
            _give_way()
        if user is not None:
            become(user)
        if sys.platform == "linux":
            # After the change of user: the kernel forgets the setting when credentials change.
            _LIBC.prctl(_PR_SET_PDEATHSIG, int(when_parent_dies), 0, 0, 0)
            if os.getppid() != parent:  # it died before we could ask
                os._exit(1)

    return prepare


def port_taken(port: int) -> bool:
    """Whether something on this machine listens on `port`."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    """A TCP port that nothing on this machine listens on at this moment.

    Not one of those that the kernel lends to outgoing connections (Linux from 32768, macOS from
    49152): between this look and the start of the server, such a one is taken by chance.
    """
    while True:
        port = secrets.choice(_OUR_PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
