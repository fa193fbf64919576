"""Log lines: one JSON object each, with ids, without what identifies a person."""

import json
import logging
from collections.abc import Iterator
from io import StringIO

import pytest
import structlog

from workers.logs import configure_logs


@pytest.fixture
def written() -> Iterator[StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = StringIO()
    configure_logs("journey", "info", stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def line(written: StringIO) -> dict[str, object]:
    [said] = written.getvalue().splitlines()
    return json.loads(said)


def test_a_line_is_json_with_the_ids_around_it(written: StringIO) -> None:
    with structlog.contextvars.bound_contextvars(run="journey/flight/c_1", customer="c_1"):
        structlog.get_logger("any").info("delivery", key="k", state="accepted")

    said = line(written)
    assert said["event"] == "delivery"
    assert said["process"] == "journey"
    assert (said["run"], said["customer"], said["key"]) == ("journey/flight/c_1", "c_1", "k")
    assert said["level"] == "info"
    assert str(said["at"]).endswith("Z")


def test_lines_of_libraries_look_like_ours(written: StringIO) -> None:
    logging.getLogger("psycopg.pool").warning("connection %s lost", 7, extra={"pool": "clew"})

    said = line(written)
    assert (said["event"], said["pool"], said["level"]) == ("connection 7 lost", "clew", "warning")


def test_mail_addresses_are_hidden_wherever_they_come_from(
    written: StringIO,
) -> None:
    said = "550 <anna.o'neil+x@mail.example.com>: no such user"

    structlog.get_logger("any").warning("refused", words=said, **{"ben@example.com": 1})

    assert "example.com" not in written.getvalue()
    assert "550 <<address>>: no such user" in written.getvalue()


def test_a_failure_says_where_it_came_from_and_never_quotes_rows(
    written: StringIO,
) -> None:
    try:
        raise ValueError("duplicate key\nDETAIL: Key (email)=(anna) already exists.")
    except ValueError:
        structlog.get_logger("any").exception("process_failed")

    said = line(written)
    assert said["error"] == "ValueError: duplicate key"
    assert "anna" not in json.dumps(said)
    assert "test_a_failure_says_where" in str(said["at_frames"])


def test_a_failure_logged_by_a_library_is_cut_alike(written: StringIO) -> None:
    try:
        raise KeyError("secret row")
    except KeyError:
        logging.getLogger("temporalio.activity").warning("failed", exc_info=True)

    said = line(written)
    assert str(said["error"]).startswith("KeyError")
    assert "Traceback" not in json.dumps(said)


def test_an_error_written_into_a_line_never_quotes_rows(written: StringIO) -> None:
    error = ValueError("duplicate key\nDETAIL:  Key (value)=(anna) already exists.")
    structlog.get_logger("any").warning("router_cannot_lease", error=repr(error), said=str(error))

    said = line(written)
    assert said["error"] == "ValueError('duplicate key"
    assert said["said"] == "duplicate key"
