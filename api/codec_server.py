"""Opens history for the Temporal Web UI, and for nobody who is not of the staff.

The protocol is Temporal's: `POST /decode` with JSON `Payloads`
(https://docs.temporal.io/codec-server). The Web UI sends the browser's cookie and not a header, so members of staff
come here from the inbox, where they signed in, and find the Web UI behind that; programs send the staff token as
bearer. Nothing is encoded here.
"""

import hmac
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from html import escape
from typing import Literal, Protocol
from urllib.parse import quote

import structlog
from fastapi import FastAPI
from google.protobuf.json_format import MessageToJson, Parse, ParseError
from pydantic import JsonValue
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from temporalio.api.common.v1 import Payload, Payloads

from api.app import Check, create_app
from api.customer_form import agent_of, refuse_other_sites
from api.refusals import RefusedRequestError
from api.request_body import read_body
from api.staff_key import Door, StaffKeyCheck, request_id
from api.web_ui import CHANGES, STYLE, WebUi, changes_a_run
from contracts.history_codec import KEY_ID
from journey.staff_roles import Role, door_role, may
from stores.audit import Origin, acting
from stores.members import Member

LARGEST = 8 * 1024 * 1024
"""Bytes of one request; the Web UI asks for a page of history at a time."""

COOKIE = "clew-history"
PLACE: Literal["histories"] = "histories"
SESSION_SECONDS = 8 * 3600
ON_THE_WAY_SECONDS = 600
MAY_READ: Role = "agent"
NAMED_AT_MOST = 20
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
_PASSAGE = re.compile(r"[\w-]{43}")
_log = structlog.get_logger(__name__)

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Histories</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>:root{{color-scheme:light dark}}body{{font:16px/1.5 system-ui,sans-serif;max-width:26rem;
margin:15vh auto;padding:0 1rem}}button{{font:inherit;padding:.6rem 1rem;margin:.4rem 0 1rem}}</style>
<main><h1>Histories</h1><p>{words}</p>{more}</main></html>"""

_IN = '<p><a href="/sign-in">Sign in at the inbox</a></p>'
_OUT = '<form method="post" action="/sign-out"><button>Sign out</button></form>'


class PayloadDecoder(Protocol):
    """Opens payloads: contracts/history_codec.py."""

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Each as it was before it was sealed, or what is left of it."""
        ...


class Deeds(Protocol):
    """Where it is written down who did what."""

    async def record(
        self, who: str, did: str, what: str, detail: Mapping[str, JsonValue] | None = None
    ) -> None: ...


class Sessions(Protocol):
    """Where sessions are kept; `stores.staff_sign_ins` says what each guarantees."""

    async def end_passage(self, passage: str) -> tuple[Member, str] | None: ...
    async def begin(
        self,
        member: str,
        how: str,
        *,
        place: Literal["inbox", "histories"],
        address: str,
        browser: str,
        instead_of: str,
    ) -> str: ...
    async def known(self, cookie: str, place: Literal["inbox", "histories"]) -> Member | None: ...
    async def end(self, cookie: str, member: str) -> None: ...


class CodecServer:
    """One installation's histories for one Web UI.

    `url`: where this is in the browser; `inbox`: where the API is there, whose members come here. `staff` knows
    programs. `open_to`: where a Web UI is in the browser whose every user may read, as on a machine of one's own.
    `web_ui` is shown behind the sign-in; without it there is nothing but `/decode`.
    """

    def __init__(
        self,
        decoder: PayloadDecoder,
        deeds: Deeds,
        *,
        url: str,
        inbox: str,
        staff: StaffKeyCheck,
        sessions: Sessions,
        web_ui: WebUi | None = None,
        open_to: str | None = None,
    ) -> None:
        self._decoder = decoder
        self._deeds = deeds
        self._url, self._inbox = url.rstrip("/"), inbox.rstrip("/")
        self._staff, self._sessions = staff, sessions
        self._web_ui = web_ui
        self._open_to = open_to.rstrip("/") if open_to else None
        self._https = self._url.startswith("https://")
        self._cookie = f"__Host-{COOKIE}" if self._https else COOKIE

    def app(self, checks: Mapping[str, Check]) -> FastAPI:
        """The application."""
        app = create_app(checks=checks, https=self._https)
        for path, methods, door in (
            ("/sign-in", ["GET"], self._sign_in),
            ("/enter", ["GET"], self._enter),
            ("/sign-out", ["POST"], self._sign_out),
            ("/signed-in.css", ["GET"], _style),
        ):
            app.add_route(path, _answered(door), methods=methods, include_in_schema=False)
        app.add_route("/decode", self._allowing(self._decode), methods=["POST", "OPTIONS"])
        app.add_route(
            "/{path:path}", _answered(self._show), methods=_METHODS, include_in_schema=False
        )
        return app

    # -- signing in

    async def _sign_in(self, request: Request) -> Response:
        """To the inbox, which knows who it is, and back to `/enter`."""
        del request
        state = secrets.token_urlsafe(32)
        answer = RedirectResponse(f"{self._inbox}/staff/histories?state={quote(state)}", 303)
        self._set(answer, self._under_way, state, ON_THE_WAY_SECONDS)
        return answer

    async def _enter(self, request: Request) -> Response:
        """Whoever comes from the inbox, in the browser that was sent there."""
        asked, kept = request.query_params, request.cookies.get(self._under_way, "")
        state, passage = asked.get("state", ""), asked.get("passage", "")
        ours = bool(kept) and hmac.compare_digest(state.encode(), kept.encode(errors="replace"))
        came = (
            await self._sessions.end_passage(passage)
            if ours and _PASSAGE.fullmatch(passage)
            else None
        )
        if came is None:
            _log.warning("staff refused", why="no_passage", **_from(request))
            return _page("That way in is not of this browser, was used, or is too old.", _IN, 401)
        member, how = came
        if not may(door_role(member.role), MAY_READ):
            told = {"staff": member.member, "role": member.role, "needs": MAY_READ}
            _log.warning("staff refused", why="role_too_low", **told, **_from(request))
            return _page(f"Your role is {member.role}; this needs {MAY_READ}.", "", 403)
        with acting(_origin(request, member)):
            cookie = await self._sessions.begin(
                member.member,
                how,
                place=PLACE,
                address=_from(request)["ip"],
                browser=agent_of(request),
                instead_of=request.cookies.get(self._cookie, ""),
            )
        answer = RedirectResponse("/", 303)
        self._set(answer, self._cookie, cookie, SESSION_SECONDS)
        self._forget(answer, self._under_way)
        _log.info("staff signed in", staff=member.member, at_page=PLACE, **_from(request))
        return answer

    async def _sign_out(self, request: Request) -> Response:
        refuse_other_sites(request)
        member = await self._member(request)
        if member is not None:
            with acting(_origin(request, member)):
                await self._sessions.end(request.cookies.get(self._cookie, ""), member.member)
            _log.info("staff signed out", staff=member.member, at_page=PLACE, **_from(request))
        answer = RedirectResponse("/", 303)
        answer.headers["Clear-Site-Data"] = '"cache", "storage"'
        self._forget(answer, self._cookie)
        return answer

    # -- showing

    async def _show(self, request: Request) -> Response:
        """The Web UI, for whoever is signed in."""
        member = await self._member(request)
        if member is None:
            if (
                request.method == "GET"
                and request.headers.get("sec-fetch-mode", "navigate") == "navigate"
            ):
                return _page("What Temporal keeps of customers is sealed. Staff may open it.", _IN)
            raise RefusedRequestError(401, "signed_out", "sign in first")
        if self._web_ui is None:
            return _page(f"You are signed in, {escape(member.name)}.", _OUT)
        if request.method not in ("GET", "HEAD"):
            refuse_other_sites(request)
        if changes_a_run(request):
            if not may(door_role(member.role), CHANGES):
                said = f"your role is {member.role}; to change what runs needs {CHANGES}"
                raise RefusedRequestError(403, "role_too_low", said)
            with acting(_origin(request, member)):
                told: dict[str, JsonValue] = {
                    "method": request.method,
                    "path": request.url.path[:500],
                }
                await self._deeds.record(member.member, "changed in the Web UI", "temporal", told)
        return await self._web_ui.answer(request, member.name, self._cookie)

    async def _member(self, request: Request) -> Member | None:
        """Who is signed in here, and may still read."""
        member = await self._sessions.known(request.cookies.get(self._cookie, ""), PLACE)
        return member if member is not None and may(door_role(member.role), MAY_READ) else None

    @property
    def _under_way(self) -> str:
        return f"{self._cookie}-under-way"

    def _set(self, answer: Response, name: str, value: str, seconds: int) -> None:
        answer.set_cookie(
            name,
            value,
            max_age=seconds,
            httponly=True,
            samesite="lax",
            secure=self._https,
            path="/",
        )

    def _forget(self, answer: Response, name: str) -> None:
        answer.delete_cookie(name, httponly=True, samesite="lax", secure=self._https, path="/")

    # -- opening

    def _allowing(self, door: Door) -> Door:
        """The same for a browser that shows a Web UI which is open to all: that page may read the answer."""

        async def answer(request: Request) -> Response:
            said = Response() if request.method == "OPTIONS" else await _answered(door)(request)
            if self._open_to is not None and request.headers.get("origin") == self._open_to:
                said.headers["Access-Control-Allow-Origin"] = self._open_to
                said.headers["Access-Control-Allow-Methods"] = "POST"
                said.headers["Access-Control-Allow-Headers"] = (
                    "content-type, x-namespace, authorization"
                )
            said.headers["Vary"] = "Origin"
            said.headers["Cache-Control"] = "no-store"
            return said

        return answer

    async def _decode(self, request: Request) -> Response:
        origin = request.headers.get("origin")
        if origin not in (None, self._url, self._open_to):
            said = f"only the Web UI at {self._url} may ask"
            raise RefusedRequestError(403, "other_site", said)
        who = await self._asking(request, origin)
        try:
            asked = Parse(await read_body(request, LARGEST), Payloads())
        except (ParseError, UnicodeDecodeError) as error:
            said = f"expected JSON Payloads: {str(error)[:200]}"
            raise RefusedRequestError(400, "bad_payloads", said) from None
        opened = await self._decoder.decode(asked.payloads)
        await self._write_down(who, asked.payloads)
        return Response(
            MessageToJson(Payloads(payloads=opened), indent=None), media_type="application/json"
        )

    async def _asking(self, request: Request, origin: str | None) -> str:
        """Who wants it opened. Raises: `RefusedRequestError` 401 or 403."""
        if origin is not None and origin == self._open_to:
            return "whoever opens the Web UI"
        member = await self._member(request) if origin == self._url else None
        return member.member if member else (await self._staff.check(request, MAY_READ)).actor

    async def _write_down(self, who: str, payloads: Sequence[Payload]) -> None:
        owners = sorted(
            {
                each.metadata[KEY_ID].decode("utf-8", "replace").partition("/")[2]
                for each in payloads
                if KEY_ID in each.metadata
            }
        )
        if owners:
            named: list[JsonValue] = [f"customer {owner}" for owner in owners[:NAMED_AT_MOST]]
            await self._deeds.record(
                who, "opened history", str(named[0]), {"of": named, "payloads": len(payloads)}
            )


def _from(request: Request) -> dict[str, str]:
    return {"ip": request.client.host if request.client else "", "request": request_id(request)}


def _origin(request: Request, member: Member) -> Origin:
    told = _from(request)
    return Origin(actor=member.member, ip=told["ip"], request=told["request"])


async def _style(request: Request) -> Response:
    del request
    return Response(STYLE, media_type="text/css", headers={"Cache-Control": "no-cache"})


def _answered(door: Door) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            return await door(request)
        except RefusedRequestError as refusal:
            return refusal.response()

    return answer


def _page(words: str, more: str, status: int = 200) -> Response:
    return HTMLResponse(
        _PAGE.format(words=words, more=more),
        status,
        headers={
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
            "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
        },
    )
