"""The log has who was let in and who was sent away: by which door, with which proof, and never with what."""

from typing import Any

import httpx2
import pytest
import structlog
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.app import create_app
from api.key_rates import KeyRates
from api.let_in import Entrances
from api.refusals import RefusedRequestError
from api.write_key_check import WriteKeyCheck

SECRET = "1.bm9ib2R5.c2lnbmVk"


class Keys:
    """One key of the shop."""

    async def name_of(self, key: str, scope: str = "ingest") -> str | None:
        del scope
        return "shop" if key == "key" else None


def doors(status: int) -> APIRouter:
    """Doors of ours that answer with this status."""

    async def answer(request: Request) -> Response:
        del request
        return Response(status_code=status)

    router = APIRouter()
    router.add_route("/u/{token}", answer, methods=["GET", "POST"])
    router.add_route("/p/{page}", answer, methods=["GET"])
    router.add_route("/p", answer, methods=["POST"])
    router.add_route("/inbox/unread", answer, methods=["GET"])
    router.add_route("/feedback/{provider}", answer, methods=["POST"])
    return router


async def lines_of(method: str, path: str, status: int, times: int = 1) -> list[Any]:
    transport = httpx2.ASGITransport(app=create_app(doors(status)))
    async with httpx2.AsyncClient(transport=transport, base_url="https://clew") as client:
        with structlog.testing.capture_logs() as lines:
            for _ in range(times):
                await client.request(method, path, headers={"x-request-id": "r-1"})
    return list(lines)


@pytest.mark.parametrize(
    ("method", "path", "door", "proof"),
    [
        ("GET", f"/u/{SECRET}", "/u/{token}", "link"),
        ("POST", f"/u/{SECRET}", "/u/{token}", "link"),
        ("GET", f"/p/{SECRET}", "/p/{page}", "opened"),
        ("POST", "/p", "/p", "link"),
        ("POST", "/feedback/ses", "/feedback/{provider}", "provider"),
    ],
)
async def test_whoever_was_let_in_is_in_the_log_by_their_proof(
    method: str, path: str, door: str, proof: str
) -> None:
    (line,) = await lines_of(method, path, 200)

    assert (line["event"], line["door"], line["proof"]) == ("let in", door, proof)
    assert (line["method"], line["request"]) == (method, "r-1")
    assert SECRET not in str(line)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 413, 429])
async def test_whatever_is_refused_is_in_the_log_with_why_and_from_where(status: int) -> None:
    (line,) = await lines_of("GET", f"/u/{SECRET}", status)

    assert (line["event"], line["status"], line["proof"]) == ("request refused", status, "link")
    assert line["ip"]
    assert SECRET not in str(line)


async def test_a_door_that_is_none_is_told_of_without_what_was_asked() -> None:
    (line,) = await lines_of("GET", "/admin/secret-of-somebody", 200)

    assert (line["event"], line["status"], line["door"]) == ("request refused", 404, "/admin")


async def test_an_inbox_that_is_asked_all_the_time_is_told_of_once_an_hour() -> None:
    assert len(await lines_of("GET", "/inbox/unread", 200, times=5)) == 1

    at = [0.0]
    entrances = Entrances(lambda: at[0])
    scope = {"method": "GET", "path": "/inbox/unread"}
    with structlog.testing.capture_logs() as lines:
        for at[0] in (0.0, 3_599.0, 3_600.0):
            entrances.answered(scope, 200, "r-1")
    assert len(lines) == 2


async def test_a_write_key_is_told_of_by_name_when_it_opens_and_not_each_time() -> None:
    check = WriteKeyCheck(Keys())
    with structlog.testing.capture_logs() as lines:
        for _ in range(3):
            await check.source(Request({"type": "http", "headers": []}), {"writeKey": "key"})

    (line,) = lines
    assert (line["event"], line["write_key"], line["proof"]) == (
        "write key taken",
        "shop",
        "ingest",
    )


async def test_a_write_key_that_opens_nothing_is_told_of_without_it() -> None:
    request = Request({"type": "http", "headers": [], "path": "/v1/track"})
    with structlog.testing.capture_logs() as lines, pytest.raises(RefusedRequestError):
        await WriteKeyCheck(Keys()).source(request, {"writeKey": "guessed"})

    (line,) = lines
    assert line["event"] == "write key refused"
    assert "guessed" not in str(line)


def test_too_much_at_once_is_refused_with_a_word_for_the_log() -> None:
    rates = KeyRates(1, lambda: 0.0)
    for _ in range(10):
        rates.take("shop", 1)

    with pytest.raises(RefusedRequestError) as refused:
        rates.take("shop", 1)
    assert (refused.value.status, refused.value.code) == (429, "too_many_messages")
