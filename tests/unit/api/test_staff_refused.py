"""Who was sent away at a door of staff is in the log: from where, why, and never with what."""

import httpx2
import pytest
import structlog
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.app import create_app
from api.staff_key import StaffKeyCheck
from journey.staff_roles import Role


class Viewers:
    """Everybody's token is a viewer's, but one that nobody made."""

    async def holder(self, token: str) -> tuple[str, Role] | None:
        return None if token == "guessed" else ("anna", "viewer")


async def _done(request: Request) -> Response:
    del request
    return Response("done")


async def ask(token: str) -> httpx2.Response:
    router = APIRouter()
    door = StaffKeyCheck("s" * 40, Viewers()).behind(_done)
    router.add_route("/v1/door", door, methods=["POST"])
    transport = httpx2.ASGITransport(app=create_app(router, https=True))
    async with httpx2.AsyncClient(transport=transport, base_url="https://clew") as client:
        headers = {"authorization": f"Bearer {token}", "x-request-id": "r-1"}
        return await client.post("/v1/door", headers=headers)


@pytest.mark.parametrize(
    ("token", "status", "why"),
    [("guessed", 401, "invalid_staff_token"), ("of anna", 403, "role_too_low")],
)
async def test_who_is_sent_away_is_in_the_log(token: str, status: int, why: str) -> None:
    with structlog.testing.capture_logs() as lines:
        answer = await ask(token)

    assert answer.status_code == status
    (line,) = lines
    assert (line["event"], line["why"], line["request"]) == ("staff refused", why, "r-1")
    assert line["ip"]
    assert token not in str(lines)


async def test_who_may_is_let_in_and_that_is_in_the_log_too() -> None:
    with structlog.testing.capture_logs() as lines:
        assert (await ask("s" * 40)).text == "done"

    (line,) = lines
    assert (line["event"], line["staff"], line["proof"]) == (
        "staff let in",
        "installation",
        "staff",
    )
    assert (line["request"], line["role"]) == ("r-1", "operator")
    assert "s" * 40 not in str(lines)


async def test_every_answer_says_what_a_browser_may_not_do_with_it() -> None:
    for answer in (await ask("s" * 40), await ask("guessed")):
        assert answer.headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
        rules = {each.strip() for each in answer.headers["content-security-policy"].split(";")}
        assert {
            "default-src 'none'",
            "object-src 'none'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        } <= rules
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
