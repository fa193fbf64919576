"""A whole installation on one machine: servers and processes, each by its own pid, kept alive."""

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from contracts.clock import RunClock
from contracts.search_attributes import SEARCH_ATTRIBUTES
from workers.embedded.child_process import EmbeddedServerError
from workers.embedded.finding_temporal import FoundTemporal, find_temporal
from workers.embedded.own_process import CLONE, OwnProcess
from workers.embedded.postgres_server import PostgresServer
from workers.embedded.stack_files import Addresses, Ports, StackFiles
from workers.embedded.supervisor import Member, Supervisor
from workers.embedded.temporal_server import TemporalServer

__all__ = ["Addresses", "EmbeddedServerError", "Ports", "Stack"]

DATABASE = "clew"
NAMESPACE = "default"
ONE_OF_EACH = {"journey": 1, "delivery": 1, "router": 1, "api": 1, "codec": 1, "mailbox": 1}


@dataclass(frozen=True, slots=True)
class TemporalPlace:
    """Where Temporal is, and its Web UI where it has one."""

    address: str
    ui_url: str | None = None


class Stack:
    """PostgreSQL, Temporal with its Web UI, and our processes, with all they keep in one folder.

    Whatever is killed is started again and goes on where it was. A second start in the same folder
    finds everything as it was left, on the same ports where they are free. `processes`: how many
    of each kind. `clock`: the clock of runs that begin here. `settings`: further `CLEW_*` settings
    for every process. With `TEMPORAL_ADDRESS` set that server is used instead of one of its own.
    """

    def __init__(
        self,
        state_dir: Path,
        *,
        say: Callable[[str], None] = print,
        ports: Ports | None = None,
        processes: Mapping[str, int] = ONE_OF_EACH,
        clock: RunClock | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.files = StackFiles(state_dir)
        self._say = say
        self._wished = ports or Ports()
        self._processes = processes
        self._clock = clock
        self._settings = dict(settings or {})
        self._members: dict[str, Member] = {}
        self._supervisor = Supervisor(say)
        self._addresses: Addresses | None = None

    @property
    def addresses(self) -> Addresses:
        """Where everything is. Only of a stack that was started."""
        if self._addresses is None:
            raise RuntimeError("the stack has not been started")
        return self._addresses

    @property
    def pids(self) -> dict[str, int | None]:
        """The process id of each member by name; None while it is down."""
        return {name: member.pid for name, member in self._members.items()}

    @property
    def restarts(self) -> dict[str, int]:
        """How often each member was started again."""
        return {name: watched.restarts for name, watched in self._supervisor.watched.items()}

    @property
    def whole(self) -> bool:
        """Whether every member runs."""
        return bool(self._members) and all(self.pids.values())

    async def start(self) -> Addresses:
        """Start everything, and return when all of it works.

        Raises:
            EmbeddedServerError: something could not be started, or another stack runs in the folder.
            TemporalNotFoundError: there is no Temporal on this machine, and none could be had.
        """
        self.files.lock()
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise
        return self.addresses

    async def stop(self) -> None:
        """End everything in order; nothing is lost, and the next start goes on from here."""
        await self._supervisor.end()
        self.files.forget()
        ours = [member for member in self._members.values() if isinstance(member, OwnProcess)]
        await asyncio.gather(*(member.stop() for member in ours))
        postgres = self._members.pop("postgres", None)
        servers = [member for member in self._members.values() if member not in ours]
        await asyncio.gather(*(server.stop() for server in servers))
        if postgres is not None:
            await postgres.stop()
        self._members.clear()
        self._supervisor = Supervisor(self._say)
        self.files.unlock()

    async def add(
        self,
        kind: str,
        *,
        name: str | None = None,
        clock: RunClock | None = None,
        clone: Path | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """Start one more process, and keep it alive: of a kind that was left out, or under a `name` of its own.

        `clock`: that of the runs that it begins, where it was not known at the start. `clone`: another
        checkout whose code it runs. `settings`: its own, beside those of all.

        Raises:
            EmbeddedServerError: it could not be started.
        """
        self._clock = clock or self._clock
        name = name or kind
        told = self._own_settings(self.files.ports_in_use()) | dict(settings or {})
        member = OwnProcess(kind, self.files.logs, name, told, clone=clone or CLONE)
        self._members[name] = member
        await member.start()
        self._supervisor.watch(name, member)

    async def end(self, name: str) -> None:
        """End one member in order, for good: what it has under way is finished first."""
        await self._supervisor.let_go(name)
        await self._members.pop(name).stop()

    async def put_down(self, name: str) -> None:
        """End one member as a crash would (SIGKILL), and leave it dead until `bring_back`."""
        await self._supervisor.let_go(name)
        await self._members[name].kill()

    async def bring_back(self, name: str) -> None:
        """Start a member that was put down, and keep it alive again.

        Raises:
            EmbeddedServerError: it could not be started.
        """
        await self._members[name].start()
        self._supervisor.watch(name, self._members[name])

    async def kill(self, name: str) -> None:
        """End one member as a crash would (SIGKILL); it comes back by itself."""
        await self._members[name].kill()

    async def kill_all(self) -> None:
        """End every member at once as a crash would (SIGKILL); all come back by themselves."""
        await asyncio.gather(*(member.kill() for member in self._members.values()))

    async def until_whole(self, seconds: float = 120) -> None:
        """Wait until every member runs and works again.

        Raises:
            TimeoutError: one did not come back; its log is in the folder `logs`.
        """
        async with asyncio.timeout(seconds):
            while not (self.whole and self._supervisor.quiet):  # noqa: ASYNC110 -- seen by pids
                await asyncio.sleep(0.1)

    async def __aenter__(self) -> "Stack":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    # -- starting

    async def _start(self) -> None:
        ports = self.files.ports(self._wished)
        postgres, temporal = await self._start_servers(ports)
        self._addresses = Addresses(
            database_url=postgres.url(DATABASE),
            temporal_address=temporal.address,
            temporal_ui=temporal.ui_url,
            temporal_namespace=NAMESPACE,
            api=f"http://127.0.0.1:{ports.api}",
            mailbox=f"http://127.0.0.1:{ports.mailbox}/mailbox",
            smtp_url=f"smtp://127.0.0.1:{ports.smtp}",
            write_key=self.files.secret("write_key"),
            state=str(self.files.folder),
            codec=f"http://127.0.0.1:{ports.codec}",
            staff_token=self._settings.get("CLEW_STAFF_TOKEN") or self._staff_token(),
        )
        self._say("Starting the workers, the router, the API and the mailbox ...")
        ours = self._own_processes(ports)
        self._members |= ours
        await asyncio.gather(*(member.start() for member in ours.values()))
        for name, member in self._members.items():
            self._supervisor.watch(name, member)
        self.files.tell(self.addresses)

    async def _start_servers(self, ports: Ports) -> tuple[PostgresServer, TemporalPlace]:
        """Start PostgreSQL and Temporal; every server is a member from the moment it may run."""
        found = await asyncio.to_thread(find_temporal, self._say)
        postgres = PostgresServer(self.files.folder / "postgres")
        self._members["postgres"] = postgres
        temporal = self._temporal(found, ports)
        if temporal is None:
            address = str(found.address)
            await asyncio.gather(self._database(postgres), _prepare(address, NAMESPACE))
            return postgres, TemporalPlace(address)
        self._members["temporal"] = temporal
        await asyncio.gather(self._database(postgres), temporal.start())
        return postgres, TemporalPlace(temporal.address, temporal.ui_url)

    async def _database(self, postgres: PostgresServer) -> None:
        self._say("Starting PostgreSQL and Temporal ...")
        await postgres.start()
        url = await postgres.create_database(DATABASE)
        from stores.migrations import upgrade

        await asyncio.to_thread(upgrade, url)
        await _accept_key(url, self.files.secret("write_key"))

    def _temporal(self, found: FoundTemporal, ports: Ports) -> TemporalServer | None:
        if found.executable is None:
            return None
        return TemporalServer(
            found.executable,
            self.files.folder / "temporal",
            port=ports.temporal,
            ui_port=ports.temporal_ui,
            namespace=NAMESPACE,
            search_attributes=SEARCH_ATTRIBUTES,
            codec=f"http://127.0.0.1:{ports.codec}",
        )

    def _own_processes(self, ports: Ports) -> dict[str, OwnProcess]:
        settings = self._own_settings(ports)
        return {
            name: OwnProcess(kind, self.files.logs, name, settings)
            for kind, count in self._processes.items()
            for name in [kind, *(f"{kind}-{number}" for number in range(2, count + 1))][:count]
        }

    def _staff_token(self) -> str:
        """The one that whoever started this says, else one of this installation."""
        return os.environ.get("CLEW_STAFF_TOKEN") or self.files.secret("staff_token")

    def _own_settings(self, ports: Ports) -> dict[str, str]:
        addresses = self.addresses
        settings = {
            "TEMPORAL_ADDRESS": addresses.temporal_address,
            "TEMPORAL_NAMESPACE": addresses.temporal_namespace,
            "CLEW_DATABASE_URL": addresses.database_url,
            "CLEW_SMTP_URL": addresses.smtp_url,
            "CLEW_MAIL_FROM": "Clew <hello@clew.example>",
            "CLEW_SECRET": self.files.secret(),
            "CLEW_STAFF_TOKEN": addresses.staff_token,
            "CLEW_INBOX": "on",
            "CLEW_PUBLIC_URL": addresses.api,
            "CLEW_API_PORT": str(ports.api),
            # On a machine of one's own nobody needs a phone to sign in.
            "CLEW_SECOND_FACTOR": "choice",
            "CLEW_CODEC_OPEN": "on",
            "CLEW_CODEC_PORT": str(ports.codec),
            "CLEW_CODEC_URL": addresses.codec,
            "CLEW_CODEC_WEB_UI": addresses.temporal_ui or "",
            "CLEW_CODEC_ORIGIN": addresses.temporal_ui or "http://127.0.0.1:8233",
            "CLEW_MAILBOX_SMTP_PORT": str(ports.smtp),
            "CLEW_MAILBOX_HTTP_PORT": str(ports.mailbox),
            "CLEW_MAILBOX_FOLDER": str(self.files.mailbox),
            # All of it is on this machine, whatever the environment says of one that is not.
            "CLEW_HTTP_CERTIFICATE": "",
        }
        if addresses.temporal_ui is not None:
            settings["TEMPORAL_TLS"] = "false"  # a server of our own
        if self._clock is not None:
            from pydantic import TypeAdapter

            settings["CLEW_RUN_CLOCK"] = TypeAdapter(RunClock).dump_json(self._clock).decode()
        return {**settings, **self._settings}


async def _accept_key(url: str, key: str) -> None:
    """Let the commands of this machine send touchpoints."""
    from stores.database import open_pool
    from stores.write_keys import WriteKeyStore

    pool = await open_pool(url, name="clew up", most=1)
    try:
        await WriteKeyStore(pool).add("clew command", key)
    finally:
        await pool.close()


async def _prepare(address: str, namespace: str) -> None:
    """Give a server that is not ours the search attributes."""
    from temporalio.client import Client

    from workers.temporal_setup import register_search_attributes
    from workers.temporal_tls import temporal_door

    door = temporal_door()
    try:
        client = await Client.connect(
            address, namespace=namespace, tls=door.tls, api_key=door.api_key
        )
    except RuntimeError as error:
        raise EmbeddedServerError(
            f"TEMPORAL_ADDRESS is {address}, and no Temporal answers there: {error}. "
            "Unset it, and Clew starts a server of its own."
        ) from None
    await register_search_attributes(client)
