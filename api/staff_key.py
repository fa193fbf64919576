"""Who may act for staff over HTTP: whoever has the installation's staff token.

Write keys do not: they travel in web pages, and cases hold what customers told us.
"""

import hmac
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from api.refusals import RefusedRequestError

Door = Callable[[Request], Awaitable[Response]]


class StaffKeyCheck:
    """Compares a request's bearer token with ours. Without a token of ours nobody may."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def check(self, request: Request) -> None:
        """Let the request pass. Raises: `RefusedRequestError` 401, or 403 where it is switched off."""
        if self._token is None:
            said = "the staff API is off: set CLEW_STAFF_TOKEN for the API process"
            raise RefusedRequestError(403, "staff_api_off", said)
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(
            given.strip().encode(), self._token.encode()
        ):
            said = "send the staff token: Authorization: Bearer …"
            raise RefusedRequestError(401, "invalid_staff_token", said)

    def behind(self, door: Door) -> Door:
        """The same door, for staff only; what it refuses is answered in words."""

        async def answer(request: Request) -> Response:
            try:
                self.check(request)
                return await door(request)
            except RefusedRequestError as refusal:
                return refusal.response()

        return answer
