"""Reading what a client sent: bounded in size, time and depth, and refused in words.

Unpacked sizes are Segment's: 32 KB a message, 500 KB a batch.
"""

import asyncio
import json
import math
import zlib
from collections.abc import Iterator
from typing import Any, cast

import orjson
from starlette.requests import ClientDisconnect, Request

from api.refusals import RefusedRequestError

MESSAGE_BYTES = 32 * 1024
BATCH_BYTES = 500 * 1024
DEPTH = 32
"""Levels of objects and lists inside each other."""

READ_SECONDS = 20.0


class UnacceptableValueError(ValueError):
    """A value that cannot be stored; the message names where it is and why."""


async def read_body(request: Request, most: int = BATCH_BYTES) -> bytes:
    """The unpacked body. Raises: `RefusedRequestError` 400, 408, 413 or 415."""
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", ""):
        raise RefusedRequestError(
            415, "unknown_encoding", f"Content-Encoding {encoding[:40]!r}: send gzip or none"
        )
    try:
        async with asyncio.timeout(READ_SECONDS):
            packed = await _read(request, most)
    except TimeoutError:
        raise RefusedRequestError(408, "too_slow", "the body did not come in time") from None
    except ClientDisconnect:
        raise RefusedRequestError(400, "disconnected", "the client went away") from None
    return _unpack(packed, most) if encoding == "gzip" else packed


async def _read(request: Request, most: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise _too_large(most)
    return bytes(body)


def _unpack(packed: bytes, most: int) -> bytes:
    unpacking = zlib.decompressobj(31)
    try:
        body = unpacking.decompress(packed, most + 1)
    except zlib.error as error:
        raise RefusedRequestError(400, "bad_gzip", f"the body is not gzip: {error}") from None
    if len(body) > most:
        raise _too_large(most)
    if not unpacking.eof:
        raise RefusedRequestError(400, "bad_gzip", "the gzip body is cut short")
    return body


def _too_large(most: int) -> RefusedRequestError:
    said = f"the body is over {most // 1024} KB unpacked: send smaller batches"
    return RefusedRequestError(413, "too_large", said)


def read_json(body: bytes) -> tuple[Any, bool]:
    """The JSON of a body, and whether all its values are surely storable.

    What strict JSON does not know (NaN, Infinity, lone surrogates), but Python's own writer sends,
    is read all the same, so that only the message that holds it is refused: see `check_values`.
    Raises: `RefusedRequestError`.
    """
    try:
        return orjson.loads(body), b"\\u0000" not in body
    except orjson.JSONDecodeError as error:
        strict = str(error)
    try:
        return json.loads(body), False
    except (ValueError, RecursionError):
        raise RefusedRequestError(
            400, "bad_json", f"the body is not JSON: {strict[:200]}"
        ) from None


def check_values(value: Any, place: str, *, sure: bool, depth: int = DEPTH) -> None:
    """Raises: `UnacceptableValueError` where a value is too deep or, unless `sure`, not storable."""
    if isinstance(value, dict | list):
        if depth == 0:
            raise UnacceptableValueError(f"{place}: deeper than {DEPTH} levels")
        for where, item in _children(cast("dict[str, Any] | list[Any]", value), place, sure=sure):
            if not sure or isinstance(item, dict | list):
                check_values(item, where, sure=sure, depth=depth - 1)
    elif isinstance(value, str):
        _check_text(value, place)
    elif isinstance(value, float) and not math.isfinite(value):
        raise UnacceptableValueError(f"{place}: {value} is not a number that JSON knows")
    elif isinstance(value, int) and not -(2**63) <= value < 2**64:
        raise UnacceptableValueError(f"{place}: the number is too large; send it as text")


def _children(
    value: dict[str, Any] | list[Any], place: str, *, sure: bool
) -> Iterator[tuple[str, Any]]:
    if isinstance(value, list):
        yield from ((f"{place}[{index}]", item) for index, item in enumerate(value))
        return
    for name, item in value.items():
        if not sure:
            _check_text(name, place)
        yield f"{place}.{name[:60]}", item


def _check_text(text: str, place: str) -> None:
    if "\0" in text:
        raise UnacceptableValueError(f"{place}: holds the character U+0000; leave it out")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise UnacceptableValueError(
                f"{place}: holds half of a surrogate pair; send whole characters"
            ) from None
