"""Small promises that no other test reads: how processes start, what a browser is shown, what is told of our faults."""

import ast
import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import httpx2
import pytest
import structlog
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.app import create_app
from workers.logs import configure_logs

CLONE = Path(__file__).resolve().parents[2]
ROOMS = "activities api channels cli console contracts deploy insight journey routing stores workers workflows"
BY_A_SHELL = {"system", "popen", "create_subprocess_shell", "getoutput", "getstatusoutput"}


def through_a_shell(code: str) -> list[int]:
    """Lines that start a program by words that a shell reads."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Call)
        and (
            (isinstance(node.func, ast.Attribute) and node.func.attr in BY_A_SHELL)
            or any(each.arg == "shell" for each in node.keywords)
        )
    ]


async def _break(request: Request) -> Response:
    raise RuntimeError(f"the password is hunter2 {request.url}")


async def ask(method: str, path: str) -> httpx2.Response:
    router = APIRouter()
    router.add_route("/v1/broken", _break, methods=["POST"])
    transport = httpx2.ASGITransport(create_app(router), raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://clew") as client:
        return await client.request(method, path)


def test_no_program_is_started_by_a_shell() -> None:
    files = [each for room in ROOMS.split() for each in (CLONE / room).rglob("*.py")]
    assert len(files) > 300
    assert {
        str(each): lines for each in files if (lines := through_a_shell(each.read_text()))
    } == {}
    assert through_a_shell("import os\nos.system('ls ' + name)\nrun(it, shell=True)") == [2, 3]


@pytest.mark.parametrize("page", ["login.html", "sessions.html"])
def test_a_password_is_masked_and_may_be_pasted(page: str) -> None:
    shown = (CLONE / "console" / "templates" / "inbox" / page).read_text()
    assert 'name="password" type="password" autocomplete="current-password"' in shown
    scripts = [each.read_text() for each in (CLONE / "console" / "static").glob("inbox*.js")]
    assert all("paste" not in each for each in (shown, *scripts))


def test_the_image_holds_no_history_of_the_source() -> None:
    assert {".git", ".env", "tests"} <= set((CLONE / ".dockerignore").read_text().split())


async def test_nobody_gets_their_request_back_by_trace() -> None:
    assert (await ask("TRACE", "/v1/broken")).status_code == 405
    assert (await ask("TRACE", "/healthz")).status_code == 405


async def test_our_fault_is_told_by_a_name_and_nothing_else() -> None:
    answer = await ask("POST", "/v1/broken")

    assert answer.status_code == 500
    assert set(answer.json()) == {"success", "code", "message"}
    assert answer.json()["message"] == f"this is our fault: {answer.headers['x-request-id']}"
    assert "hunter2" not in answer.text
    assert not create_app().debug


@pytest.fixture
def written() -> Iterator[StringIO]:
    stream = StringIO()
    configure_logs("api", "info", stream)
    yield stream
    structlog.reset_defaults()


def test_no_line_of_the_log_can_be_made_by_what_somebody_sent(written: StringIO) -> None:
    structlog.get_logger("a").info("said", words='x\n{"event": "forged"}\r\n\x1b[31m')

    (line,) = written.getvalue().splitlines()
    assert json.loads(line)["event"] == "said"
    assert "\x1b" not in line
