"""Log lines leave the machine as they stand on stderr, and whoever logs waits for nobody."""

import json
import logging
import signal
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import structlog

from tests.integration.workers.collector import Collector
from tests.integration.workers.test_processes import exists, said, start
from workers import sent_logs
from workers.embedded.child_process import free_port
from workers.logs import configure_logs
from workers.sent_logs import send_logs


@pytest.fixture
def stderr() -> Iterator[StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield StringIO()
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with Collector() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        yield collector


def as_written(stderr: StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stderr.getvalue().splitlines()]


def as_stderr_has_it(value: Any) -> Any:
    """OTLP's attributes are plain: what is made of parts is JSON there."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value


def test_what_is_sent_is_what_stderr_says_redacted_alike(
    collector: Collector, stderr: StringIO
) -> None:
    with send_logs("api", configure_logs("api", "info", stderr)):
        log = structlog.get_logger("any")
        log.info("delivery", key="k", tries=3, late=0.5, done=True, reply="to anna@example.com")
        try:
            raise ValueError("duplicate key\nDETAIL: Key (email)=(anna) already exists.")
        except ValueError:
            log.exception("process_failed", why="no\nDETAIL: Key (name)=(anna)")
        logging.getLogger("psycopg.pool").warning("connection of %s lost", "ben@example.com")

    written = as_written(stderr)
    assert [line["event"] for line in written] == [line.event for line in collector.lines]
    for there, here in zip(collector.lines, written, strict=True):
        level, event = here.pop("level"), here.pop("event")
        assert (there.level, there.event) == (level.upper(), event)
        assert there.fields == {name: as_stderr_has_it(value) for name, value in here.items()}
    assert [line.severity for line in collector.lines] == [9, 17, 13]
    assert {line.service for line in collector.lines} == {"clew-api"}
    assert "anna" not in str(collector.lines)
    assert "example.com" not in str(collector.lines)


def test_a_value_that_otlp_cannot_hold_costs_no_line(
    collector: Collector, stderr: StringIO
) -> None:
    with send_logs("api", configure_logs("api", "info", stderr)):
        log = structlog.get_logger("any")
        log.info("odd", large=2**70, broken="\ud800", nothing=None, parts={"a": [1]})
        log.info("next")

    odd, following = collector.lines
    assert odd.fields["large"] == str(2**70)
    assert odd.fields["broken"] == "?"
    assert (odd.fields["nothing"], odd.fields["parts"]) == ("null", '{"a": [1]}')
    assert following.event == "next"


def test_while_a_collector_does_not_answer_the_queue_is_bounded_and_the_newest_lines_stay(
    collector: Collector, stderr: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_BLRP_MAX_QUEUE_SIZE", "10")
    monkeypatch.setenv("OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "10")
    monkeypatch.setenv("OTEL_BLRP_SCHEDULE_DELAY", "1")
    collector.free.clear()
    with send_logs("api", configure_logs("api", "info", stderr)):
        log = structlog.get_logger("any")
        log.info("first")
        assert collector.asked.wait(60)
        for n in range(500):
            log.info("said", n=n)
        collector.free.set()

    assert [line.fields.get("n") for line in collector.lines] == [None, *range(490, 500)]
    ours = [line for line in as_written(stderr) if line["event"] in ("first", "said")]
    assert len(ours) == 501


def test_what_the_sender_says_of_its_own_failures_is_not_sent_again(
    collector: Collector, stderr: StringIO
) -> None:
    with send_logs("api", configure_logs("api", "info", stderr)):
        logging.getLogger("opentelemetry.sdk").error("Queue full, dropping Log.")
        logging.getLogger("urllib3.connectionpool").warning("Retrying")

    assert collector.lines == []
    assert len(as_written(stderr)) == 2


def test_an_end_waits_for_no_collector_that_is_silent(
    collector: Collector, stderr: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sent_logs, "END_SECONDS", 0.01)
    collector.free.clear()

    with send_logs("api", configure_logs("api", "info", stderr)):
        structlog.get_logger("any").info("last")

    assert collector.lines == []
    assert as_written(stderr)[0]["event"] == "last"


def test_without_a_collector_nothing_is_sent(stderr: StringIO) -> None:
    formatter = configure_logs("api", "info", stderr)
    before = list(logging.getLogger().handlers)

    with send_logs("api", formatter):
        assert logging.getLogger().handlers == before


@pytest.mark.timeout(200)
async def test_a_process_works_and_ends_in_order_while_its_collector_is_away(
    tmp_path: Path,
) -> None:
    ready = tmp_path / "ready"
    process = await start(
        "mailbox",
        CLEW_MAILBOX_FOLDER=str(tmp_path / "mails"),
        CLEW_MAILBOX_SMTP_PORT="0",
        CLEW_MAILBOX_HTTP_PORT="0",
        CLEW_READY_FILE=str(ready),
        OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{free_port()}",
    )
    await exists(ready, process)

    process.send_signal(signal.SIGTERM)
    words = await said(process)

    assert process.returncode == 0, words
    assert [line for line in words.splitlines() if '"event": "ended"' in line]
