"""Connections of a process: to PostgreSQL and to Temporal, waited for where they are not up yet."""

import asyncio
import logging
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

import psycopg
import structlog
from psycopg_pool import PoolTimeout
from temporalio import activity, workflow
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.client import Client, Interceptor
from temporalio.converter import DataConverter
from temporalio.plugin import SimplePlugin
from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    OpenTelemetryConfig,
    PrometheusConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)
from temporalio.service import RPCError

from contracts.search_attributes import SEARCH_ATTRIBUTES
from stores.database import Pool, open_pool
from workers.activity_watch import ActivityWatch
from workers.presence import present
from workers.process import UnfitInstallationError
from workers.settings import DatabaseSettings, TemporalSettings
from workers.telemetry import ENDPOINT, tracing
from workers.temporal_tls import temporal_door
from workers.trace_headers import TraceHeaders

RETRY_SECONDS = 0.5
SAY_EACH = 20
"""Each how many attempts a process that waits says for what."""

_log = structlog.get_logger(__name__)
Result = TypeVar("Result")


@asynccontextmanager
async def database(settings: DatabaseSettings, name: str) -> AsyncGenerator[Pool]:
    """A pool for this process, once the database answers; it is known to be at work meanwhile.

    Raises: `UnfitInstallationError` where the database lacks our tables.
    """
    await _patiently(
        "database", lambda: _check_database(settings.database_url), psycopg.OperationalError
    )
    pool = await _patiently(
        "database",
        lambda: open_pool(
            settings.database_url,
            name=f"clew {name}",
            most=settings.database_connections,
            behind_pgbouncer=settings.behind_pgbouncer,
        ),
        PoolTimeout,
    )
    try:
        async with present(pool, name):
            yield pool
    finally:
        await pool.close()


async def temporal(
    settings: TemporalSettings,
    *,
    plugins: Sequence[SimplePlugin] = (),
    converter: DataConverter = DataConverter.default,
    identity: str,
) -> Client:
    """A client, once the server answers. Its workers inherit plugins, traces and measures.

    `converter`: where no plugin brings one.
    """
    # Ids are fields of our lines; the SDK would put them into the words, too.
    activity.logger.activity_info_on_message = False
    workflow.logger.workflow_info_on_message = False
    interceptors: list[Interceptor] = [_Watch()]
    if tracing():
        interceptors.append(TraceHeaders())
    runtime, door = _runtime(settings), temporal_door()
    return await _patiently(
        "temporal",
        lambda: Client.connect(
            settings.temporal_address,
            namespace=settings.temporal_namespace,
            tls=door.tls,
            api_key=door.api_key,
            plugins=list(plugins),
            data_converter=converter,
            interceptors=interceptors,
            runtime=runtime,
            # In each event of each history, ten times a step: what kind of process, and no more.
            identity=identity,
        ),
        (RPCError, RuntimeError),
    )


async def require_search_attributes(client: Client) -> None:
    """See that runs can be found in the Web UI.

    Raises: `UnfitInstallationError` naming what is not registered and how to register it.
    """
    answer = await _patiently(
        "temporal",
        lambda: client.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=client.namespace)
        ),
        RPCError,
    )
    known = {name: int(kind) for name, kind in answer.custom_attributes.items()}
    missing = [
        key for key in SEARCH_ATTRIBUTES if known.get(key.name) != int(key.indexed_value_type)
    ]
    if missing:
        names = ", ".join(f"{key.name} ({key.indexed_value_type.name.title()})" for key in missing)
        raise UnfitInstallationError(
            f"Temporal's namespace {client.namespace!r} lacks the search attributes {names}. "
            "Register them: python -m deploy.prepare"
        )


class _Watch(Interceptor, ActivityWatch):
    """Watches the activities of a client's workers."""


async def _check_database(url: str) -> None:
    async with await psycopg.AsyncConnection.connect(url, connect_timeout=5) as connection:
        cursor = await connection.execute("select to_regclass('definitions') is not null")
        row = await cursor.fetchone()
    if row is None or not row[0]:
        raise UnfitInstallationError(
            "The database has none of our tables yet. Make them: python -m deploy.prepare"
        )


async def _patiently(
    what: str,
    attempt: Callable[[], Awaitable[Result]],
    may_pass: type[Exception] | tuple[type[Exception], ...],
) -> Result:
    """Try until it works: a server that is starting, or being replaced, comes back."""
    for attempts in range(1_000_000):
        try:
            return await attempt()
        except may_pass as error:
            if attempts % SAY_EACH == 0:
                _log.warning(f"waiting_for_{what}", error=str(error).split("\n", 1)[0][:300])
            await asyncio.sleep(RETRY_SECONDS)
    raise AssertionError("a process does not live that long")


def _runtime(settings: TemporalSettings) -> Runtime:
    """The SDK's own runtime: its log lines among ours, its metrics where they are wanted."""
    metrics: PrometheusConfig | OpenTelemetryConfig | None = None
    if settings.temporal_metrics_port is not None:
        metrics = PrometheusConfig(
            bind_address=f"{settings.metrics_host}:{settings.temporal_metrics_port}",
            durations_as_seconds=True,
        )
    elif tracing():
        url = os.environ[ENDPOINT].rstrip("/") + "/v1/metrics"
        metrics = OpenTelemetryConfig(url=url, http=True, durations_as_seconds=True)
    forwarding = LogForwardingConfig(logger=logging.getLogger("temporal.core"))
    filtered = TelemetryFilter(core_level="WARN", other_level="ERROR")
    logs = LoggingConfig(filter=filtered, forwarding=forwarding)
    return Runtime(telemetry=TelemetryConfig(logging=logs, metrics=metrics))
