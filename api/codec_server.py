"""Opens history for the Temporal Web UI, and for nobody who is not of the staff.

The protocol is Temporal's: `POST /decode` with JSON `Payloads`
(https://docs.temporal.io/codec-server). The Web UI sends the browser's cookie and not a header, so one
signs in here first; programs send the staff token as bearer. Nothing is encoded here.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Protocol

import structlog
from fastapi import FastAPI
from google.protobuf.json_format import MessageToJson, Parse, ParseError
from pydantic import JsonValue
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from temporalio.api.common.v1 import Payload, Payloads

from api.app import Check, create_app
from api.customer_form import read_form, refuse_other_sites
from api.refusals import RefusedRequestError
from api.request_body import read_body
from api.staff_key import Door, StaffKeyCheck, request_id
from api.staff_sessions import StaffSessions
from contracts.history_codec import KEY_ID
from journey.staff_roles import Role, may

LARGEST = 8 * 1024 * 1024
"""Bytes of one request; the Web UI asks for a page of history at a time."""

COOKIE = "clew-history"
MAY_READ: Role = "agent"
NAMED_AT_MOST = 20
_log = structlog.get_logger(__name__)

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Histories</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>:root{{color-scheme:light dark}}body{{font:16px/1.5 system-ui,sans-serif;max-width:26rem;
margin:15vh auto;padding:0 1rem}}label,input,button{{display:block;width:100%;box-sizing:border-box}}
input,button{{font:inherit;padding:.6rem;margin:.4rem 0 1rem}}</style>
<main><h1>Histories</h1><p>{words}</p>{form}</main></html>"""

_FORM = """<form method="post" action="/sign-in"><label for="t">Staff token</label>
<input id="t" name="token" type="password" autocomplete="current-password" required autofocus>
<button>Sign in</button></form>"""

_OUT = """<form method="post" action="/sign-out"><button>Sign out</button>
<button name="whom" value="all">Sign everybody out</button></form>"""


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


class CodecServer:
    """One installation's histories for one Web UI.

    `origin`: where the Web UI is in the browser, the only page that may ask. `staff` knows
    who may: from an agent on. `everybody`: whoever opens the Web UI may
    read, as on a machine of one's own.
    """

    def __init__(
        self,
        decoder: PayloadDecoder,
        deeds: Deeds,
        *,
        origin: str,
        staff: StaffKeyCheck,
        wall_clock: Callable[[], datetime],
        everybody: bool = False,
    ) -> None:
        self._everybody = everybody
        self._decoder = decoder
        self._deeds = deeds
        self._origin = origin.rstrip("/")
        self._staff = staff
        self._https = self._origin.startswith("https://")
        self._sessions = StaffSessions(COOKIE, https=self._https, wall_clock=wall_clock)

    def app(self, checks: Mapping[str, Check]) -> FastAPI:
        """The application."""
        app = create_app(checks=checks, https=self._https)
        app.add_route("/", _answered(self._front), methods=["GET"], include_in_schema=False)
        app.add_route(
            "/sign-in", _answered(self._sign_in), methods=["POST"], include_in_schema=False
        )
        app.add_route(
            "/sign-out", _answered(self._sign_out), methods=["POST"], include_in_schema=False
        )
        app.add_route("/decode", self._allowing(self._decode), methods=["POST", "OPTIONS"])
        return app

    # -- signing in

    async def _front(self, request: Request) -> Response:
        if self._sessions.known(request):
            said = f'You are signed in. <a href="{escape(self._origin)}">The Web UI</a> shows what is sealed.'
            return _page(said, _OUT)
        return _page("What Temporal keeps of customers is sealed. Staff may open it.", _FORM)

    async def _sign_in(self, request: Request) -> Response:
        refuse_other_sites(request)
        given = next(iter((await read_form(request)).all("token")), "")
        try:
            name, role = await self._staff.holder(given)
        except RefusedRequestError:
            _log.warning("staff refused", why="invalid_staff_token", **_from(request))
            return _page(
                "This is no staff token (CLEW_STAFF_TOKEN, or one of your own).", _FORM, 401
            )
        if not may(role, MAY_READ):
            _log.warning("staff refused", why="role_too_low", staff=name, **_from(request))
            return _page(f"Your token is for the role {role}; this needs {MAY_READ}.", _FORM, 403)
        answer = RedirectResponse("/", 303)
        self._sessions.begin(request, answer, name)
        _log.info("staff signed in", staff=name, at_page="histories", **_from(request))
        return answer

    async def _sign_out(self, request: Request) -> Response:
        refuse_other_sites(request)
        if (await read_form(request)).line("whom", 10) == "all" and self._sessions.known(request):
            self._sessions.end_all()
        answer = RedirectResponse("/", 303)
        answer.headers["Clear-Site-Data"] = '"cache", "storage"'
        self._sessions.end(request, answer)
        _log.info("staff signed out", at_page="histories", **_from(request))
        return answer

    # -- opening

    def _allowing(self, door: Door) -> Door:
        """The same for a browser that shows the Web UI: it may read the answer, and no other page may."""

        async def answer(request: Request) -> Response:
            said = Response() if request.method == "OPTIONS" else await _answered(door)(request)
            if request.headers.get("origin") == self._origin:
                said.headers["Access-Control-Allow-Origin"] = self._origin
                said.headers["Access-Control-Allow-Credentials"] = "true"
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
        if origin is not None and origin != self._origin:
            said = f"only the Web UI at {self._origin} may ask (CLEW_CODEC_ORIGIN)"
            raise RefusedRequestError(403, "other_site", said)
        who = self._sessions.known(request)
        if who is None and self._everybody and origin is not None:
            who = "whoever opens the Web UI"
        if who is None:
            who = (await self._staff.check(request, MAY_READ)).actor
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


def _answered(door: Door) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            return await door(request)
        except RefusedRequestError as refusal:
            return refusal.response()

    return answer


def _page(words: str, form: str, status: int = 200) -> Response:
    return HTMLResponse(
        _PAGE.format(words=words, form=form),
        status,
        headers={
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
            "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
        },
    )
