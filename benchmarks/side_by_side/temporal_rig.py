"""Temporal with all that a contender on it needs: the production server on PostgreSQL, or the development server."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from functools import cache
from pathlib import Path

from temporalio.client import Client
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter
from temporalio.service import RPCError, RPCStatusCode

from benchmarks.production.cluster import TemporalCluster
from benchmarks.production.postgres_programs import full_postgres
from benchmarks.production.programs import SERVER_VERSION, find_programs
from benchmarks.side_by_side.contender import History
from benchmarks.side_by_side.postgres_meter import SETTINGS, PostgresMeter
from contracts.search_attributes import SEARCH_ATTRIBUTES
from workers.embedded.postgres_server import PostgresServer
from workers.embedded.temporal_server import TemporalServer, find_executable

NAMESPACE = "default"
SHARDS = 4


@cache
def _quiet_runtime() -> Runtime:
    """A server that was killed on purpose is no news: the SDK would tell of each try."""
    logging = LoggingConfig(filter=TelemetryFilter(core_level="ERROR", other_level="ERROR"))
    return Runtime(telemetry=TelemetryConfig(logging=logging))


class TemporalRig:
    """One PostgreSQL and one Temporal server. `production` off: the development server, which keeps its own file."""

    def __init__(self, *, production: bool = True) -> None:
        self.production = production
        self._parts = AsyncExitStack()
        self._postgres: PostgresServer | None = None
        self._cluster: TemporalCluster | None = None
        self._development: TemporalServer | None = None
        self._client: Client | None = None

    @property
    def postgres(self) -> PostgresServer:
        """The database. Only of a rig that was started."""
        assert self._postgres is not None, "the rig has not been started"
        return self._postgres

    @property
    def client(self) -> Client:
        """A client of the server. Only of a rig that was started."""
        assert self._client is not None, "the rig has not been started"
        return self._client

    @property
    def address(self) -> str:
        """Where the server is spoken to."""
        server = self._cluster or self._development
        assert server is not None, "the rig has not been started"
        return server.address

    async def start(self, folder: Path) -> None:
        """Start both. Raises: `EmbeddedServerError`, `TemporalNotFoundError` in words."""
        try:
            await self._start(folder)
        except BaseException:
            await self.stop()
            raise

    async def _start(self, folder: Path) -> None:
        if self.production:
            self._postgres = PostgresServer(
                folder / "postgres", settings=SETTINGS, programs=full_postgres()
            )
        else:
            self._postgres = PostgresServer(folder / "postgres")
        await self._parts.enter_async_context(self._postgres)
        if self.production:
            await PostgresMeter(self._postgres.url()).prepare()
            self._cluster = TemporalCluster(
                find_programs(), folder / "temporal", self._postgres.url(), servers=1, shards=SHARDS
            )
            await self._parts.enter_async_context(self._cluster)
        else:
            found = find_executable()
            assert found.executable is not None
            self._development = TemporalServer(
                found.executable, folder / "temporal", headless=True, namespace=NAMESPACE,
                search_attributes=SEARCH_ATTRIBUTES,
            )  # fmt: skip
            await self._parts.enter_async_context(self._development)
        self._client = await Client.connect(
            self.address, namespace=NAMESPACE, runtime=_quiet_runtime()
        )

    async def stop(self) -> None:
        """End both in order."""
        await self._parts.aclose()

    def pids(self) -> dict[str, list[int]]:
        """The server's and the database's."""
        server = self._cluster.servers[0].pid if self._cluster else self._only().pid
        found = {"server": server, "database": self.postgres.pid}
        return {what: [pid] for what, pid in found.items() if pid is not None}

    async def kill(self, what: str) -> None:
        """SIGKILL the `server` or the `database`, and start it again at once."""
        if what == "database":
            await self.postgres.kill()
            await self.postgres.start()
            return
        server = self._cluster.servers[0] if self._cluster else self._only()
        await server.kill()
        await server.start()

    def _only(self) -> TemporalServer:
        assert self._development is not None, "the rig has not been started"
        return self._development

    async def history(self, workflow_id: str) -> History | None:
        """What a run has cost so far, over all histories that it went on into."""
        run_id: str | None = None
        events = size = transitions = histories = 0
        try:
            while True:
                handle = self.client.get_workflow_handle(workflow_id, run_id=run_id)
                told = await handle.describe()
                info = told.raw_description.workflow_execution_info
                events += info.history_length
                size += info.history_size_bytes
                transitions += info.state_transition_count
                histories += 1
                run_id = await self._previous(workflow_id, told.run_id)
                if run_id is None:
                    return History(events, size, transitions, histories)
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                return None
            raise

    async def _previous(self, workflow_id: str, run_id: str) -> str | None:
        handle = self.client.get_workflow_handle(workflow_id, run_id=run_id)
        async for event in handle.fetch_history_events(page_size=1):
            begun = event.workflow_execution_started_event_attributes
            return begun.continued_execution_run_id or None
        return None

    async def ended(self, workflow_id: str) -> bool:
        """Whether a run is over. One that has not begun yet, since its touchpoint is on its way, is not."""
        try:
            told = await self.client.get_workflow_handle(workflow_id).describe()
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                return False
            raise
        return told.close_time is not None

    def versions(self) -> Mapping[str, str]:
        """What runs here."""
        kind = f"{SERVER_VERSION.removeprefix('v')}, {SHARDS} shards, on PostgreSQL"
        return {"temporal": kind if self.production else "development server"}
