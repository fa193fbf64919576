"""How the API refuses: with a status, a word for programs, and a sentence for people."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from stores.database import dump_json


class RefusedRequestError(Exception):
    """A request that is answered with this status; the message names the place and the remedy."""

    def __init__(
        self, status: int, code: str, message: str, retry_after: int | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.retry_after = retry_after

    def response(self) -> Response:
        """The answer."""
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        body = {"success": False, "code": self.code, "message": self.message}
        return json_response(body, self.status, headers)


def json_response(
    body: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """JSON, written by the one writer of JSON."""
    return Response(
        dump_json(body), status, headers=dict(headers or {}), media_type="application/json"
    )
