"""The codec server's doors as everybody: histories open for staff from an agent on, by bearer or from the inbox."""

from base64 import b64encode
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2 as httpx
import orjson
import pytest
import pytest_asyncio
from pydantic import JsonValue
from starlette.routing import Route
from temporalio.api.common.v1 import Payload

from api.codec_server import MAY_READ, CodecServer
from api.staff_key import StaffKeyCheck
from api.web_ui import WebUi
from contracts.history_codec import KEY_ID
from journey.staff_roles import MEMBER_ROLES, ROLES, MemberRole, Role, door_role, may
from stores.members import Member

INBOX = "https://shop.example"
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


@dataclass
class Sessions:
    """Members of each role, who come with a passage that is called as the role is."""

    open: dict[str, Member] = field(default_factory=dict[str, Member])
    used: set[str] = field(default_factory=set[str])

    async def end_passage(self, passage: str) -> tuple[Member, str] | None:
        role = passage.partition("-")[0]
        if role not in MEMBER_ROLES or passage in self.used:
            return None
        self.used.add(passage)
        member: Any = {"member": role, "name": f"The <{role}>", "role": role}
        return Member(**member), "password and a code"

    async def begin(
        self, member: str, how: str, *, place: str, address: str, browser: str, instead_of: str
    ) -> str:
        del how, address, browser, instead_of
        assert place == "histories"
        told: Any = {"member": member, "name": f"The <{member}>", "role": member}
        self.open[f"cookie-of-{member}"] = Member(**told)
        return f"cookie-of-{member}"

    async def known(self, cookie: str, place: str) -> Member | None:
        return self.open.get(cookie) if place == "histories" else None

    async def end(self, cookie: str, member: str) -> None:
        del member
        self.open.pop(cookie, None)


@dataclass
class WebUis:
    """What the Web UI was asked, and a page of it."""

    asked: list[httpx.Request] = field(default_factory=list[httpx.Request])

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if request.url.path == "/":
            return httpx.Response(302, headers={"location": "http://ui.test/namespaces"})
        if request.url.path.startswith("/api"):
            return httpx.Response(200, json={"runs": 3}, headers={"set-cookie": "_csrf=1"})
        page = "<html><body><div>runs</div></body></html>"
        told = {"content-type": "text/html", "x-frame-options": "SAMEORIGIN"}
        return httpx.Response(200, text=page, headers=told)

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self.answer))


@pytest.fixture
def opened() -> Opened:
    return Opened()


@pytest.fixture
def sessions() -> Sessions:
    return Sessions()


@pytest.fixture
def web_ui() -> WebUis:
    return WebUis()


@pytest.fixture
def server(opened: Opened, sessions: Sessions, web_ui: WebUis) -> CodecServer:
    return CodecServer(
        opened,
        opened,
        url=HERE,
        inbox=INBOX,
        staff=StaffKeyCheck("token-of-the-installation", Tokens()),
        sessions=sessions,
        web_ui=WebUi("http://ui.test", f"{INBOX}/staff/sessions", web_ui.client),
    )


@pytest_asyncio.fixture
async def codec(server: CodecServer) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=server.app({}))
    async with httpx.AsyncClient(transport=transport, base_url=HERE) as client:
        yield client


async def comes_in(codec: httpx.AsyncClient, role: str) -> httpx.Response:
    """From here to the inbox and back, as a member of that role."""
    sent = await codec.get("/sign-in")
    [state] = parse_qs(urlsplit(sent.headers["location"]).query)["state"]
    passage = f"{role}-".ljust(43, "x")
    return await codec.get(f"/enter?state={state}&passage={passage}")


def test_every_route_of_it_is_tried_here(server: CodecServer) -> None:
    routes = {
        (method, route.path)
        for route in server.app({}).routes
        if isinstance(route, Route)
        for method in route.methods or ()
    }
    assert {path for method, path in routes if method == "POST"} == {
        "/sign-out",
        "/decode",
        "/{path:path}",
    }
    ours = {path for method, path in routes if method == "GET"} - {
        "/healthz",
        "/readyz",
        "/openapi.json",
    }
    assert ours == {"/sign-in", "/enter", "/signed-in.css", "/{path:path}"}


@pytest.mark.parametrize("role", ROLES)
async def test_a_program_reads_histories_as_far_as_its_role_goes(
    codec: httpx.AsyncClient, opened: Opened, role: Role
) -> None:
    bearer = {"authorization": f"Bearer token-of-{role}"}

    answer = await codec.post("/decode", content=ASKED, headers=bearer)

    assert answer.status_code == (200 if may(role, MAY_READ) else 403)
    assert opened.deeds == ([f"{role} opened history customer c_anna"] if opened.payloads else [])
    assert opened.payloads == (1 if may(role, MAY_READ) else 0)


@pytest.mark.parametrize("role", MEMBER_ROLES)
async def test_a_member_reads_histories_as_far_as_their_role_goes(
    codec: httpx.AsyncClient, opened: Opened, web_ui: WebUis, role: MemberRole
) -> None:
    fine = may(door_role(role), MAY_READ)

    came = await comes_in(codec, role)
    page = await codec.get("/namespaces")
    answer = await codec.post("/decode", content=ASKED, headers={"origin": HERE})

    assert came.status_code == (303 if fine else 403)
    assert answer.status_code == (200 if fine else 401)
    assert ("runs" in page.text) == fine
    assert len(web_ui.asked) == (1 if fine else 0)
    assert opened.deeds == ([f"{role} opened history customer c_anna"] if fine else [])


async def test_each_page_of_the_web_ui_shows_who_is_signed_in_and_a_way_out(
    codec: httpx.AsyncClient, sessions: Sessions, web_ui: WebUis
) -> None:
    came = await comes_in(codec, "agent")
    kept = dict(codec.cookies)

    pages = [await codec.get(path) for path in ("/namespaces", "/namespaces/default/workflows?q=1")]
    first, data = await codec.get("/"), await codec.get("/api/v1/namespaces")
    out = await codec.post("/sign-out", headers={"origin": HERE})
    codec.cookies.update(kept)
    after = await codec.get("/namespaces")

    for page in pages:
        assert '<form id="clew-signed-in" method="post" action="/sign-out"' in page.text
        assert "The &lt;agent&gt;" in page.text
        assert "<button>Sign out</button></form></body>" in page.text
        assert f'href="{INBOX}/staff/sessions"' in page.text
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    cookie = came.headers["set-cookie"]
    assert cookie.startswith("__Host-clew-history=")
    assert {"HttpOnly", "Secure", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
    assert first.headers["location"] == "/namespaces"
    assert data.json() == {"runs": 3}
    assert (await codec.get("/signed-in.css")).headers["content-type"].startswith("text/css")
    assert sessions.open == {}
    assert out.headers["clear-site-data"] == '"cache", "storage"'
    assert "Sign in at the inbox" in after.text
    assert "runs" not in after.text
    assert not any("clew" in each.headers.get("cookie", "") for each in web_ui.asked)
    assert web_ui.asked[1].url.query == b"q=1"


async def test_a_stranger_gets_nothing_of_the_web_ui(
    codec: httpx.AsyncClient, web_ui: WebUis
) -> None:
    page = await codec.get("/namespaces")
    data = await codec.get("/api/v1/namespaces", headers={"sec-fetch-mode": "cors"})
    done = await codec.post("/api/v1/namespaces/default/workflows/x/terminate", content=b"{}")

    assert [each.status_code for each in (page, data, done)] == [200, 401, 401]
    assert "Sign in at the inbox" in page.text
    assert web_ui.asked == []


@pytest.mark.parametrize("role", ["agent", "lead", "admin"])
async def test_what_changes_a_run_is_for_operators_and_is_written_down(
    codec: httpx.AsyncClient, opened: Opened, web_ui: WebUis, role: MemberRole
) -> None:
    await comes_in(codec, role)
    at = "/api/v1/namespaces/default/workflows/journey%2Fcart%2Fc_anna"

    looked = await codec.post(f"{at}/query/status", content=b"{}", headers={"origin": HERE})
    done = await codec.post(f"{at}/terminate", content=b"{}", headers={"origin": HERE})
    forged = await codec.post(f"{at}/terminate", headers={"origin": "https://evil.example"})

    fine = role == "admin"
    assert (looked.status_code, done.status_code) == (200, 200 if fine else 403)
    assert forged.status_code == 403
    assert opened.deeds == (["admin changed in the Web UI temporal"] if fine else [])
    assert [each.url.raw_path.decode() for each in web_ui.asked] == [
        f"{at}/query/status",
        *([f"{at}/terminate"] if fine else []),
    ]


async def test_a_way_in_counts_once_and_in_the_browser_that_was_sent(
    server: CodecServer, codec: httpx.AsyncClient
) -> None:
    sent = await codec.get("/sign-in")
    [state] = parse_qs(urlsplit(sent.headers["location"]).query)["state"]
    assert sent.headers["location"].startswith(f"{INBOX}/staff/histories?state=")
    right = f"/enter?state={state}&passage={'agent-'.ljust(43, 'x')}"
    transport = httpx.ASGITransport(app=server.app({}))
    async with httpx.AsyncClient(transport=transport, base_url=HERE) as mallory:
        stolen = await mallory.get(right)
        await mallory.get("/sign-in")
        lured = await mallory.get(right)

    wrong = await codec.get(f"/enter?state={state}&passage={'nobody'.ljust(43, 'x')}")
    short = await codec.get(f"/enter?state={state}&passage=agent-")
    came = await codec.get(right)
    again = await codec.get(right)

    assert [each.status_code for each in (stolen, lured, wrong, short, came, again)] == [
        *(401, 401, 401, 401, 303, 401)
    ]


async def test_a_web_ui_elsewhere_is_answered_only_where_it_is_open_to_all(opened: Opened) -> None:
    elsewhere = "http://127.0.0.1:8233"
    transports = [
        httpx.ASGITransport(
            app=CodecServer(
                opened, opened, url=HERE, inbox=INBOX, staff=StaffKeyCheck(None), sessions=Sessions(),
                open_to=open_to,
            ).app({})
        )
        for open_to in (None, elsewhere)
    ]  # fmt: skip
    answers = list[httpx.Response]()
    for transport in transports:
        async with httpx.AsyncClient(transport=transport, base_url=HERE) as client:
            answers.append(
                await client.post("/decode", content=ASKED, headers={"origin": elsewhere})
            )

    shut, fine = answers
    assert (shut.status_code, fine.status_code) == (403, 200)
    assert "access-control-allow-origin" not in shut.headers
    assert fine.headers["access-control-allow-origin"] == elsewhere
    assert "access-control-allow-credentials" not in fine.headers
    assert opened.deeds == ["whoever opens the Web UI opened history customer c_anna"]


@pytest.mark.parametrize("token", STRANGERS)
async def test_a_stranger_reads_nothing_whatever_they_send(
    codec: httpx.AsyncClient, opened: Opened, token: str
) -> None:
    """Also one who sends a token that almost fits: it counts as it came."""
    cookies = {"__Host-clew-history": token, "clew-history": token}
    sent = "; ".join(f"{name}={value}" for name, value in cookies.items())
    by_cookie = await codec.post("/decode", content=ASKED, headers={"origin": HERE, "cookie": sent})
    bearer = {"authorization": f"Bearer {token.strip() and token}"}
    answers = [by_cookie]
    if token == token.strip():  # HTTP itself takes spaces off the end of a header
        answers.append(await codec.post("/decode", content=ASKED, headers=bearer))

    assert [each.status_code for each in answers] == [401] * len(answers)
    assert opened.payloads == 0


FOREIGN = [
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"origin": "https://evil.example"},
    {"origin": f"{HERE}.evil.example"},
]


@pytest.mark.parametrize("told", FOREIGN)
@pytest.mark.parametrize("door", ["/sign-out", "/decode", "/api/v1/anything"])
async def test_another_site_has_a_browser_do_nothing(
    codec: httpx.AsyncClient, opened: Opened, web_ui: WebUis, door: str, told: dict[str, str]
) -> None:
    """A browser says from where it comes; whoever is signed in stays so, and nobody else comes in."""
    await comes_in(codec, "agent")
    if door == "/decode" and "origin" not in told:
        told = {**told, "origin": "null"}

    forged = await codec.post(door, headers=told, content=ASKED)

    assert forged.status_code == 403
    assert opened.payloads == 0
    assert web_ui.asked == []
    assert "access-control-allow-origin" not in forged.headers
    still = await codec.post("/decode", content=ASKED, headers={"origin": HERE})
    assert still.status_code == 200
    assert opened.deeds == ["agent opened history customer c_anna"]
