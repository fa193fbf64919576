"""What a client reported, read from whichever spec it speaks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import JsonValue

from journey.touchpoint import RESERVED

Identity = tuple[str, str]
Subject = tuple[str, str]

LONGEST_NAME = 200


class RefusedMessageError(ValueError):
    """A message that cannot be taken; the message names the field and the remedy."""


@dataclass(slots=True, frozen=True, kw_only=True)
class Reported:
    """One touchpoint as reported. `identify` carries traits as its properties.

    `names` lead to the customer; there are none where it is about a subject only. `alias` ties
    its second name to the customer of the first.
    """

    kind: Literal["touchpoint", "identify", "alias"]
    message_id: str
    event: str
    occurred_at: datetime
    names: tuple[Identity, ...] = ()
    subject: Subject | None = None
    properties: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    context: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])


@dataclass(slots=True, frozen=True, kw_only=True)
class Refused:
    """One message of a batch that was not taken, by its place in the batch."""

    index: int
    reason: str
    message: Any


def read_name(value: object, place: str) -> str:
    """A name of 1 to 200 characters; whole numbers are taken as text."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_NAME:
        raise RefusedMessageError(f"{place}: expected text of 1 to {LONGEST_NAME} characters")
    return value


def read_event(value: object, place: str) -> str:
    """The name of an event that anybody may send."""
    if not isinstance(value, str):
        raise RefusedMessageError(
            f"{place}: expected its name, text of 1 to {LONGEST_NAME} characters"
        )
    if value in RESERVED:
        raise RefusedMessageError(f"{place}: {value!r} is a name of our own; choose another")
    return read_name(value, place)


def read_object(value: object, place: str) -> dict[str, Any]:
    """A JSON object; nothing is an empty one."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise RefusedMessageError(f"{place}: expected a JSON object, got {kind_of(value)}")
    return value  # pyright: ignore[reportUnknownVariableType] -- JSON has text for names


def read_instant(value: object, place: str) -> datetime | None:
    """An RFC 3339 instant."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise RefusedMessageError(f"{place}: expected text such as 2026-11-22T09:00:00Z")
    try:
        read = datetime.fromisoformat(value)
        if read.tzinfo is None:
            raise RefusedMessageError(f"{place}: has no zone; end it with Z or an offset")
        return read.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        if isinstance(error, RefusedMessageError):
            raise
        raise RefusedMessageError(f"{place}: {value[:40]!r} is not an RFC 3339 instant") from None


def read_subject(context: Mapping[str, Any], place: str) -> Subject | None:
    """What `context.subject` says the touchpoint is about."""
    subject = context.get("subject")
    if subject is None:
        return None
    fields = read_object(subject, place)
    return read_name(fields.get("kind"), f"{place}.kind"), read_name(
        fields.get("id"), f"{place}.id"
    )


def kind_of(value: object) -> str:
    """The kind of a JSON value, in words."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case str():
            return "text"
        case int() | float():
            return "a number"
        case list():
            return "a list"
        case _:
            return "an object"
