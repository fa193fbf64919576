"""What is common to reading a provider's webhook: the request, the refusals, and JSON of any shape."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import orjson

SKEW = timedelta(minutes=5)
"""How far ahead of ours a provider's clock may be."""


class ForgedFeedbackError(Exception):
    """It is not from the provider, or is an old one sent again; the message says what does not fit."""


class UnreadableFeedbackError(Exception):
    """It is not of the shape that this provider sends; the message says where."""


@dataclass(slots=True, frozen=True, kw_only=True)
class WebhookRequest:
    """One request. `url` is as the provider called it, from outside; names of headers in small letters."""

    url: str
    body: bytes
    now: datetime
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


def read_json(body: bytes) -> object:
    """Strict JSON. Raises: `UnreadableFeedbackError`."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise UnreadableFeedbackError(f"the body is not JSON: {str(error)[:200]}") from None


def expect_object(value: object, what: str) -> None:
    """Raises: `UnreadableFeedbackError` where it is no JSON object."""
    if not isinstance(value, dict):
        raise UnreadableFeedbackError(f"{what}: expected an object, as the provider sends it")


def at(value: object, *path: str | int) -> object:
    """What stands there in JSON; None where nothing does."""
    for step in path:
        if isinstance(step, int) and isinstance(value, list):
            items = cast("Sequence[object]", value)
            value = items[step] if step < len(items) else None
        elif isinstance(step, str) and isinstance(value, dict):
            value = cast("Mapping[str, object]", value).get(step)
        else:
            return None
    return value


def text(value: object, *path: str | int) -> str:
    """The text that stands there; empty where there is none."""
    found = at(value, *path)
    return found if isinstance(found, str) else ""


def needed(value: object, *path: str | int) -> str:
    """The text that must stand there. Raises: `UnreadableFeedbackError`."""
    found = text(value, *path)
    if not found or len(found) > 1_000:
        where = ".".join(map(str, path))
        raise UnreadableFeedbackError(f"{where}: expected text of 1 to 1,000 characters")
    return found


def instant(value: object, *path: str | int) -> datetime:
    """The instant that must stand there: RFC 3339, or seconds since 1970. Raises: `UnreadableFeedbackError`."""
    found: Any = at(value, *path)
    try:
        if isinstance(found, str):
            read = datetime.fromisoformat(found)
            return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
        if isinstance(found, int | float) and not isinstance(found, bool):
            return datetime.fromtimestamp(found, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    raise UnreadableFeedbackError(f"{'.'.join(map(str, path))}: expected an instant")


def not_too_old(sent: datetime, now: datetime, longest: timedelta) -> None:
    """Raises: `ForgedFeedbackError` where it was signed longer ago, or is from the future."""
    if not now - longest <= sent <= now + SKEW:
        raise ForgedFeedbackError(f"it was signed at {sent:%Y-%m-%d %H:%M:%S} UTC: sent again?")
