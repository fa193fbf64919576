"""One trace from a request to the mail it led to, metrics and log lines: as a collector by OTLP gets them."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
import pytest_asyncio

from cli.journey_files import Published, check_files, find_files
from stores.database import open_pool
from stores.definitions import DefinitionStore
from stores.messages import MessageStore
from tests.integration.workers.collector import Collector
from workers.embedded.stack import Ports, Stack

JOURNEY = """
language: 1
journey: hello
title: Say hello
owner: growth
enter: {on: Signed Up}
stages:
  - stage: new
    steps:
      - wait:
          any: [{on: Called Us, do: [{send: {message: hello, via: [email], purpose: service}}]}]
          until: 30d
          late: []
      - finish: told
"""


@pytest_asyncio.fixture(scope="module")
async def collector() -> AsyncIterator[Collector]:
    with Collector() as collector:
        yield collector


@pytest_asyncio.fixture(scope="module")
async def stack(
    collector: Collector, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stack]:
    settings = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "OTEL_METRIC_EXPORT_INTERVAL": "500",
    }
    folder = tmp_path_factory.mktemp("telemetry")
    async with Stack(folder, say=lambda _: None, ports=Ports.free(), settings=settings) as stack:
        yield stack


async def publish(stack: Stack, folder: Path) -> None:
    (folder / "journey.yaml").write_text(JOURNEY)
    pool = await open_pool(stack.addresses.database_url)
    await MessageStore(pool).publish("hello", '---\nsubject: "Hello"\n---\nHello.\n')
    checked = check_files(find_files([folder]), Published(messages=["hello"]))
    assert checked.problems == []
    for definition in checked.journeys:
        await DefinitionStore(pool).publish(definition)
    await pool.close()


async def tell(stack: Stack, *messages: dict[str, Any]) -> None:
    async with httpx.AsyncClient(base_url=stack.addresses.api) as api:
        batch = [{"userId": "anna", **message} for message in messages]
        answer = await api.post(
            "/v1/batch", json={"batch": batch}, auth=(stack.addresses.write_key, "")
        )
    assert answer.status_code == 200, answer.text


@pytest.mark.timeout(300)
async def test_a_touchpoint_is_one_trace_from_the_request_to_the_mail(
    stack: Stack, collector: Collector, folder: Path
) -> None:
    await publish(stack, folder)
    email = {"email": "anna@example.com"}
    await tell(
        stack, {"type": "identify", "traits": email}, {"type": "track", "event": "Signed Up"}
    )
    await until(lambda: any("admit" in spans for spans in collector.spans.values()))

    await tell(stack, {"type": "track", "event": "Called Us"})

    await until(lambda: any("smtp send" in spans for spans in collector.spans.values()))
    whole = {
        "POST /v1/batch": "clew-api",
        "route touchpoint": "clew-router",
        "run: touchpoint": "clew-journey",
        "deliver_message": "clew-delivery",
        "smtp send": "clew-delivery",
    }
    await until(lambda: any(whole.items() <= spans.items() for spans in collector.spans.values()))


@pytest.mark.timeout(300)
async def test_a_collector_gets_our_metrics_and_those_of_temporal(
    stack: Stack, collector: Collector
) -> None:
    ours = {"clew_routing_lag_seconds", "clew_ingest_lag_seconds", "clew_timer_lateness_seconds"}

    await until(lambda: ours <= collector.metrics)
    await until(lambda: any(name.startswith("temporal_") for name in collector.metrics))


@pytest.mark.timeout(300)
async def test_a_collector_gets_what_each_process_logs(stack: Stack, collector: Collector) -> None:
    processes = {f"clew-{each}" for each in ("api", "router", "journey", "delivery")}

    def ready() -> set[str]:
        return {line.service for line in list(collector.lines) if line.event == "ready"}

    await until(lambda: processes <= ready())


async def until(condition: Any, seconds: float = 90) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.1)
