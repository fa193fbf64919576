"""A Temporal server of our own: the development server, on a database file, by its own pid."""

import asyncio
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.common import SearchAttributeIndexedValueType, SearchAttributeKey
from temporalio.service import ConnectConfig, RPCError, ServiceClient

from workers.embedded.child_process import (
    ChildProcess,
    EmbeddedServerError,
    free_port,
    port_taken,
    spawn,
)
from workers.embedded.finding_temporal import (
    FoundTemporal,
    TemporalNotFoundError,
    find_executable,
    find_temporal,
)

__all__ = [
    "EmbeddedServerError",
    "FoundTemporal",
    "TemporalNotFoundError",
    "TemporalServer",
    "find_executable",
    "find_temporal",
]

START_SECONDS = 60
START_ATTEMPTS = 3
STOP_SECONDS = 10
_TYPE_NAMES = {
    SearchAttributeIndexedValueType.TEXT: "Text",
    SearchAttributeIndexedValueType.KEYWORD: "Keyword",
    SearchAttributeIndexedValueType.INT: "Int",
    SearchAttributeIndexedValueType.DOUBLE: "Double",
    SearchAttributeIndexedValueType.BOOL: "Bool",
    SearchAttributeIndexedValueType.DATETIME: "Datetime",
    SearchAttributeIndexedValueType.KEYWORD_LIST: "KeywordList",
}


class TemporalServer:
    """The development server with its Web UI; what it knows is in one file under `state`.

    `stop` and `kill` leave the file and the ports as they are, so the next `start` of the
    same object, or of another one on the same `state` and ports, goes on where it was.
    """

    def __init__(
        self,
        executable: Path,
        state: Path,
        *,
        port: int | None = None,
        ui_port: int | None = None,
        headless: bool = False,
        namespace: str = "default",
        search_attributes: Sequence[SearchAttributeKey[Any]] = (),
        dynamic_config: Mapping[str, str] | None = None,
        codec: str | None = None,
    ) -> None:
        self.state = state
        self.port = port or free_port()
        self.ui_port = ui_port or free_port()
        self.headless = headless
        self.namespace = namespace
        self._executable = executable
        self._search_attributes = search_attributes
        self._dynamic_config = dict(dynamic_config or {})
        self._codec = codec
        self._child: ChildProcess | None = None

    @property
    def address(self) -> str:
        """Where clients and workers connect to (`TEMPORAL_ADDRESS`)."""
        return f"127.0.0.1:{self.port}"

    @property
    def ui_url(self) -> str | None:
        """The Web UI, unless the server is headless."""
        return None if self.headless else f"http://127.0.0.1:{self.ui_port}"

    @property
    def log(self) -> Path:
        """What the server itself had to say."""
        return self.state / "temporal.log"

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self._child.pid if self._child is not None and self._child.running else None

    async def start(self) -> None:
        """Start it and wait until the namespace answers.

        Raises:
            EmbeddedServerError: it ended, or did not answer in time; the message holds its log.
        """
        if self.pid is not None:
            return
        self.state.mkdir(parents=True, exist_ok=True)
        await self._until_the_port_is_free()
        for attempts_left in reversed(range(START_ATTEMPTS)):
            try:
                await self._start_once()
                break
            except EmbeddedServerError as ended:
                # Its own services listen on ports that it picks itself, and may lose to somebody.
                if "address already in use" not in str(ended) or not attempts_left:
                    raise

    async def _start_once(self) -> None:
        self._child = await spawn(
            self._command(), log=self.log, when_parent_dies=signal.SIGTERM, gives_way=True
        )
        try:
            await asyncio.wait_for(self._until_healthy(self._child), START_SECONDS)
        except TimeoutError as late:
            await self.kill()
            raise EmbeddedServerError(
                f"Temporal did not answer on {self.address} within {START_SECONDS} s; "
                f"see {self.log}"
            ) from late

    async def stop(self) -> None:
        """End it in order; after a while, end it anyway."""
        if self._child is not None:
            await self._child.stop(signal.SIGTERM, STOP_SECONDS)

    async def kill(self) -> None:
        """End it as a crash would (SIGKILL)."""
        if self._child is not None:
            await self._child.kill()

    async def __aenter__(self) -> "TemporalServer":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def _command(self) -> list[str]:
        command = [
            str(self._executable), "server", "start-dev",
            "--ip", "127.0.0.1", "--port", str(self.port),
            "--db-filename", str(self.state / "temporal.db"),
            # One fsync a commit instead of three: starts and wakes several times as many runs a second.
            "--sqlite-pragma", "journal_mode=WAL",
            "--namespace", self.namespace, "--log-level", "error",
        ]  # fmt: skip
        command += ["--headless"] if self.headless else ["--ui-port", str(self.ui_port)]
        if self._codec and not self.headless:
            command += ["--ui-codec-endpoint", self._codec]
        for key in self._search_attributes:
            command += ["--search-attribute", f"{key.name}={_type_name(key)}"]
        for name, value in self._dynamic_config.items():
            command += ["--dynamic-config-value", f"{name}={value}"]
        return command

    async def _until_the_port_is_free(self) -> None:
        """A server whose parent has just died is still shutting down: let it finish."""
        for _ in range(1 + STOP_SECONDS * 10):
            if not port_taken(self.port):
                return
            await asyncio.sleep(0.1)
        raise EmbeddedServerError(
            f"Something else listens on port {self.port}: another `clew up`? "
            "Stop it, or give Temporal another port."
        )

    async def _until_healthy(self, child: ChildProcess) -> None:
        while True:
            child.check_running()
            try:
                service = await ServiceClient.connect(ConnectConfig(target_host=self.address))
                await service.workflow_service.describe_namespace(
                    DescribeNamespaceRequest(namespace=self.namespace)
                )
            except (RPCError, RuntimeError):  # RuntimeError: nobody listens yet
                await asyncio.sleep(0.1)
            else:
                return


def _type_name(key: SearchAttributeKey[Any]) -> str:
    return _TYPE_NAMES[key.indexed_value_type]
