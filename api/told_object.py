"""A JSON object that a program sent to act for staff: read, bounded, and refused in words."""

from collections.abc import Sequence
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request

from api.refusals import RefusedRequestError
from api.request_body import (
    MESSAGE_BYTES,
    UnacceptableValueError,
    check_values,
    read_body,
    read_json,
)
from journey.language import Slug

_NAME = TypeAdapter[str](Slug)


async def read_object_of(
    request: Request, fields: Sequence[str], most: int = MESSAGE_BYTES
) -> dict[str, Any]:
    """The body, which may hold these fields only. Raises: `RefusedRequestError`."""
    raw, sure = read_json(await read_body(request, most))
    if not isinstance(raw, dict):
        raise bad_request("expected one JSON object")
    told = cast("dict[str, Any]", raw)
    for name in told:
        if name not in fields:
            raise bad_request(f"{name[:60]}: is not known here; known are {', '.join(fields)}")
    try:
        check_values(told, "body", sure=sure)
    except UnacceptableValueError as error:
        raise bad_request(str(error)) from None
    return told


def text_of(told: dict[str, Any], name: str, *, most: int, default: str | None = None) -> str:
    """A text in it. Raises: `RefusedRequestError` where it is none, or missing without a default."""
    value = told.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, str) or not 1 <= len(value.strip()) <= most:
        raise bad_request(f"{name}: expected text of 1 to {most} characters")
    return value.strip()


def texts_of(told: dict[str, Any], name: str, *, most: int, longest: int = 320) -> list[str]:
    """A list of texts in it; nothing is an empty one. Raises: `RefusedRequestError`."""
    value: Any = told.get(name)
    if value is None:
        return []
    fits = isinstance(value, list) and len(cast("list[Any]", value)) <= most
    if not fits or not all(
        isinstance(each, str) and 1 <= len(each) <= longest for each in cast("list[Any]", value)
    ):
        raise bad_request(f"{name}: expected a list of at most {most} texts")
    return cast("list[str]", value)


def object_of(told: dict[str, Any], name: str) -> dict[str, Any]:
    """An object in it; nothing is an empty one. Raises: `RefusedRequestError`."""
    value = told.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise bad_request(f"{name}: expected an object")
    return cast("dict[str, Any]", value)


def queue_named(text: str | None) -> str | None:
    """The queue that is asked for, of which there may be none of this name; None for all of them."""
    try:
        return None if text is None else _NAME.validate_python(text)
    except ValidationError:
        raise bad_request("queue: expected the name of a queue, such as sales") from None


def bad_request(message: str) -> RefusedRequestError:
    """What is wrong with a request that should not be sent again as it is."""
    return RefusedRequestError(400, "bad_request", message)
