"""Who sends: the write key of a request."""

import base64
import binascii
import time
from collections.abc import Mapping
from typing import Any, Protocol

import structlog
from starlette.requests import Request

from api.let_in import is_told
from api.refusals import RefusedRequestError
from stores.write_keys import Scope

REMEMBERED_SECONDS = 5.0
"""A revoked key is refused at the latest after this time, a new one accepted at once."""

SAID_EACH_SECONDS = 3_600.0
"""So often the log has that keys of a name are taken: they come many times a second."""

_REMEMBERED = 1_000
_log = structlog.get_logger(__name__)


class WriteKeys(Protocol):
    """Where write keys are kept."""

    async def name_of(self, key: str, scope: Scope = "ingest") -> str | None: ...


class WriteKeyCheck:
    """Looks keys up, and remembers those it found for a moment."""

    def __init__(self, keys: WriteKeys, scope: Scope = "ingest") -> None:
        self._keys = keys
        self._scope: Scope = scope
        self._found: dict[str, tuple[str, float]] = {}
        self._said: dict[str, float] = {}

    async def source(self, request: Request, body: object = None) -> str | None:
        """The name of the request's key: from its header, or `writeKey` in the body.

        None where it carries none and `body` was not given yet. Raises: `RefusedRequestError` 401.
        """
        key = _of_header(request) or _of_body(body)
        if key is None:
            if body is None:
                return None
            raise _refused("no write key: send it as Basic user name, or as writeKey in the body")
        name = await self._name(key)
        if name is None:
            # Not which: whoever mistypes theirs would have it in the log.
            is_told(request.scope)
            origin = {"ip": request.client.host if request.client else ""}
            _log.warning(
                "write key refused", path=str(request.scope.get("path", ""))[:80], **origin
            )
            raise _refused("the write key is unknown, was revoked, is over, or not for this door")
        return name

    async def _name(self, key: str) -> str | None:
        known = self._found.get(key)
        if known is not None and known[1] > time.monotonic():
            return known[0]
        name = await self._keys.name_of(key, self._scope)
        if name is None:
            self._found.pop(key, None)
            return None
        if len(self._found) >= _REMEMBERED:
            self._found.clear()
        now = time.monotonic()
        self._found[key] = (name, now + REMEMBERED_SECONDS)
        if self._said.get(name, 0.0) <= now:
            self._said[name] = now + SAID_EACH_SECONDS
            _log.info("write key taken", write_key=name, proof=self._scope)
        return name


def _refused(message: str) -> RefusedRequestError:
    return RefusedRequestError(401, "invalid_write_key", message)


def _of_header(request: Request) -> str | None:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip() or None
    if scheme.lower() != "basic":
        return None
    try:
        pair = base64.b64decode(value.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        raise _refused("the Authorization header is not Basic base64 of writeKey:") from None
    return pair.partition(":")[0] or None


def _of_body(body: object) -> str | None:
    key: Any = body.get("writeKey") if isinstance(body, Mapping) else None  # pyright: ignore[reportUnknownVariableType] -- JSON
    return key if isinstance(key, str) and key else None
