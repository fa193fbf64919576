"""OWASP API Security 2023, API8. Security misconfiguration: headers, methods, versions of TLS and what a proxy may tell."""

# ruff: noqa: E501 -- names of tests

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
import pytest_asyncio
from starlette.responses import Response

from tests.security.standing import stand
from workers.http_settings import HttpSettings
from workers.process import Life
from workers.web import serve_http


def test_what_shows_it_stands() -> None:
    assert stand(
        "tests/unit/api/test_staff_refused.py::test_every_answer_says_what_a_browser_may_not_do_with_it",
        "tests/security/test_small_promises.py::test_nobody_gets_their_request_back_by_trace",
        "tests/security/test_small_promises.py::test_our_fault_is_told_by_a_name_and_nothing_else",
        "tests/security/test_encryption.py::test_no_server_of_ours_speaks_an_old_tls",
        "tests/security/test_encryption.py::test_what_comes_in_the_clear_from_elsewhere_is_not_answered",
    )


async def address_seen(scope: Any, receive: Any, send: Any) -> None:
    """Answers with whose request it takes this to be."""
    await Response(str(scope["client"][0]))(scope, receive, send)


@pytest_asyncio.fixture
async def port() -> AsyncIterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        chosen = free.getsockname()[1]
    life = Life()
    serving = asyncio.create_task(
        serve_http(address_seen, "127.0.0.1", chosen, life, HttpSettings(drain_seconds=1))
    )
    async with asyncio.timeout(60):
        while True:
            with suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", chosen)
                writer.close()
                break
            await asyncio.sleep(0)
    yield chosen
    life.stop.set()
    await serving


async def ask(port: int, *lines: str, body: str = "") -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write("\r\n".join([*lines, "Host: clew", "Connection: close", "", body]).encode())
    answer = await reader.read()
    writer.close()
    return answer


async def test_nobody_can_say_that_they_come_from_elsewhere(port: int) -> None:
    told = ("X-Forwarded-For: 6.6.6.6", "Forwarded: for=6.6.6.6", "X-Real-IP: 6.6.6.6")
    answer = await ask(port, "GET / HTTP/1.1", *told)
    assert answer.endswith(b"127.0.0.1")


@pytest.mark.parametrize("lengths", [
    ("Content-Length: 3", "Content-Length: 9"),
    ("Content-Length: 3", "Transfer-Encoding: chunked"),
    ("Transfer-Encoding: chunked", "Content-Length: 3"),
    ("Content-Length: -3",),
    ("Content-Length: 3x",),
])  # fmt: skip
async def test_a_request_of_two_lengths_is_none(port: int, lengths: tuple[str, ...]) -> None:
    answer = await ask(port, "POST / HTTP/1.1", *lengths, body="0\r\n\r\nGET /x HTTP/1.1\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400")
