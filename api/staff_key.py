"""Who may act for staff over HTTP: whoever has a staff token, as far as its role goes.

The installation's own token (CLEW_STAFF_TOKEN) may do everything; named ones do what their role may.
Write keys open nothing here: they travel in web pages, and cases hold what customers told us.
"""

import hmac
import re
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog
from starlette.requests import Request
from starlette.responses import Response

from api.let_in import is_told
from api.refusals import RefusedRequestError
from journey.staff_roles import READS, Role, may
from stores.audit import Origin, acting

Door = Callable[[Request], Awaitable[Response]]

REMEMBERED_SECONDS = 5.0
"""A revoked token is refused at the latest after this time, a new one accepted at once."""

OF_THE_INSTALLATION = "installation"
"""As whom the audit names whoever holds CLEW_STAFF_TOKEN."""

_REMEMBERED = 1_000
_log = structlog.get_logger(__name__)
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class StaffTokens(Protocol):
    """Where named tokens are kept."""

    async def holder(self, token: str) -> tuple[str, Role] | None: ...


class StaffKeyCheck:
    """Compares a request's bearer token with ours. Without a token of ours nobody may."""

    def __init__(self, token: str | None, tokens: StaffTokens | None = None) -> None:
        self._token = token
        self._tokens = tokens
        self._found: dict[str, tuple[tuple[str, Role], float]] = {}

    async def check(self, request: Request, at_least: Role | None = None) -> Origin:
        """Let the request pass; who it is. `at_least`: unsaid, whoever reads may read, an agent may do.

        Raises: `RefusedRequestError` 401, or 403 where the role does not go so far.
        """
        origin = {"ip": _address(request), "request": request_id(request)}
        is_told(request.scope)
        try:
            name, role = await self.holder(_bearer(request))
        except RefusedRequestError as refusal:
            _log.warning("staff refused", why=refusal.code, method=request.method, **origin)
            raise
        needed: Role = at_least or ("viewer" if request.method in READS else "agent")
        if not may(role, needed):
            told = {"why": "role_too_low", "staff": name, "role": role, "needs": needed}
            _log.warning("staff refused", method=request.method, **told, **origin)
            said = f"the token {name!r} is for the role {role}; this needs {needed}"
            raise RefusedRequestError(403, "role_too_low", said)
        _log.info(
            "staff let in", staff=name, role=role, proof="staff", method=request.method, **origin
        )
        return Origin(actor=name, ip=_address(request), request=request_id(request))

    def behind(self, door: Door, at_least: Role | None = None) -> Door:
        """The same door, for staff only; what it refuses is answered in words."""

        async def answer(request: Request) -> Response:
            try:
                with acting(await self.check(request, at_least)):
                    _without_nul(request)
                    return await door(request)
            except RefusedRequestError as refusal:
                if refusal.status not in (401, 403):  # those are told above
                    told = {"status": refusal.status, "why": refusal.code}
                    _log.info(
                        "request refused",
                        method=request.method,
                        request=request_id(request),
                        **told,
                    )
                return refusal.response()

        return answer

    async def role(self, request: Request) -> Role:
        """How far whoever sent this request goes. Raises: `RefusedRequestError` 401."""
        return (await self.holder(_bearer(request)))[1]

    async def holder(self, given: str) -> tuple[str, Role]:
        """Whose token it is, and what they may. Raises: `RefusedRequestError` 401."""
        if self._token and hmac.compare_digest(given.encode(), self._token.encode()):
            return OF_THE_INSTALLATION, "operator"
        known = self._found.get(given)
        if known is not None and known[1] > time.monotonic():
            return known[0]
        found = await self._tokens.holder(given) if self._tokens and given else None
        if found is None:
            self._found.pop(given, None)
            said = "send a staff token: Authorization: Bearer … (CLEW_STAFF_TOKEN, or clew staff-tokens create)"
            raise RefusedRequestError(401, "invalid_staff_token", said)
        if len(self._found) >= _REMEMBERED:
            self._found.clear()
        self._found[given] = (found, time.monotonic() + REMEMBERED_SECONDS)
        return found


def request_id(request: Request) -> str:
    """What a request is called: as its sender says, or by a name of our own."""
    state = request.scope.setdefault("state", {})
    if "request_id" not in state:
        told = request.headers.get("x-request-id", "")
        state["request_id"] = told if _REQUEST_ID.fullmatch(told) else secrets.token_hex(8)
    return state["request_id"]


def _without_nul(request: Request) -> None:
    """PostgreSQL has no text with a NUL in it, so nothing is called so."""
    told = (*request.path_params.values(), *request.query_params.values())
    if any("\0" in str(each) for each in told):
        raise RefusedRequestError(400, "bad_request", "nothing has a name with a NUL in it")


def _bearer(request: Request) -> str:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return given if scheme.lower() == "bearer" else ""  # as it came: no token is mended


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
