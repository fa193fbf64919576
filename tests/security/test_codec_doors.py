"""The codec server's doors as everybody: histories open for staff from an agent on, by bearer or signed in."""

from base64 import b64encode
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx2 as httpx
import orjson
import pytest
import pytest_asyncio
from pydantic import JsonValue
from starlette.routing import Route
from temporalio.api.common.v1 import Payload

from api.codec_server import MAY_READ, CodecServer
from api.staff_key import StaffKeyCheck
from contracts.history_codec import KEY_ID
from journey.staff_roles import ROLES, Role, may

UI = "https://temporal.shop.example"
HERE = "https://codec.shop.example"
ASKED = orjson.dumps(
    {"payloads": [{"metadata": {KEY_ID: b64encode(b"1/c_anna").decode()}, "data": "eA=="}]}
)
STRANGERS = (
    "",
    "guessed",
    "token-of-viewe",
    "token-of-viewer ",
    " token-of-agent",
    "TOKEN-OF-AGENT",
)


class Tokens:
    """One token for each role."""

    async def holder(self, token: str) -> tuple[str, Role] | None:
        return next(((role, role) for role in ROLES if token == f"token-of-{role}"), None)


@dataclass
class Opened:
    """What was opened, and for whom."""

    payloads: int = 0
    deeds: list[str] = field(default_factory=list[str])

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        self.payloads += len(payloads)
        return list(payloads)

    async def record(
        self, who: str, did: str, what: str, detail: Mapping[str, JsonValue] | None = None
    ) -> None:
        del detail
        self.deeds.append(f"{who} {did} {what}")


@pytest.fixture
def opened() -> Opened:
    return Opened()


@pytest.fixture
def server(opened: Opened) -> CodecServer:
    staff = StaffKeyCheck("token-of-the-installation", Tokens())
    return CodecServer(opened, opened, origin=UI, staff=staff, wall_clock=lambda: datetime.now(UTC))


@pytest_asyncio.fixture
async def codec(server: CodecServer) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=server.app({}))
    async with httpx.AsyncClient(transport=transport, base_url=HERE) as client:
        yield client


def test_every_route_of_it_is_tried_here(server: CodecServer) -> None:
    routes = {
        (method, route.path)
        for route in server.app({}).routes
        if isinstance(route, Route)
        for method in route.methods or ()
    }
    assert {path for method, path in routes if method == "POST"} == {
        "/sign-in",
        "/sign-out",
        "/decode",
    }
    assert {method for method, _ in routes} <= {"GET", "HEAD", "POST", "OPTIONS"}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("way", ["bearer", "signed in"])
async def test_a_role_reads_histories_as_far_as_it_goes(
    codec: httpx.AsyncClient, opened: Opened, role: Role, way: str
) -> None:
    token, headers = f"token-of-{role}", {}
    if way == "bearer":
        headers = {"authorization": f"Bearer {token}"}
    else:
        signed = await codec.post("/sign-in", data={"token": token})
        assert signed.status_code == (303 if may(role, MAY_READ) else 403)
        headers = {"origin": UI}

    answer = await codec.post("/decode", content=ASKED, headers=headers)

    refused = 403 if way == "bearer" else 401
    assert answer.status_code == (200 if may(role, MAY_READ) else refused)
    assert opened.payloads == (1 if may(role, MAY_READ) else 0)
    assert len(opened.deeds) == opened.payloads
    assert all(deed.startswith(f"{role} opened history") for deed in opened.deeds)


@pytest.mark.parametrize("token", STRANGERS)
async def test_a_stranger_reads_nothing_whatever_they_send(
    codec: httpx.AsyncClient, opened: Opened, token: str
) -> None:
    """Also one who sends a token that almost fits: it counts as it came."""
    signed = await codec.post("/sign-in", data={"token": token})
    cookies = {"__Host-clew-history": token, "clew-history": token}
    sent = "; ".join(f"{name}={value}" for name, value in cookies.items())
    by_cookie = await codec.post("/decode", content=ASKED, headers={"origin": UI, "cookie": sent})
    bearer = {"authorization": f"Bearer {token.strip() and token}"}
    answers = [signed, by_cookie]
    if token == token.strip():  # HTTP itself takes spaces off the end of a header
        answers.append(await codec.post("/decode", content=ASKED, headers=bearer))

    assert [each.status_code for each in answers] == [401] * len(answers)
    assert opened.payloads == 0
    assert "set-cookie" not in signed.headers


FOREIGN = [
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"origin": "https://evil.example"},
    {"origin": f"{HERE}.evil.example"},
]


@pytest.mark.parametrize("told", FOREIGN)
@pytest.mark.parametrize("door", ["/sign-in", "/sign-out", "/decode"])
async def test_another_site_has_a_browser_do_nothing(
    codec: httpx.AsyncClient, opened: Opened, door: str, told: dict[str, str]
) -> None:
    """A browser says from where it comes; whoever is signed in stays so, and nobody else comes in."""
    await codec.post("/sign-in", data={"token": "token-of-agent"})
    if door == "/decode" and "origin" not in told:
        told = {**told, "origin": "null"}

    sent: dict[str, Any] = (
        {"content": ASKED} if door == "/decode" else {"data": {"token": "token-of-lead"}}
    )
    forged = await codec.post(door, headers=told, **sent)

    assert forged.status_code == 403
    assert opened.payloads == 0
    assert "access-control-allow-origin" not in forged.headers
    still = await codec.post("/decode", content=ASKED, headers={"origin": UI})
    assert still.status_code == 200
    assert opened.deeds == ["agent opened history customer c_anna"]
