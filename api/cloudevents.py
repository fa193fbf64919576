"""CloudEvents 1.0 as touchpoints: structured, batched and binary mode.

`type` is the event, `source` and `id` together the message id, `time` when it happened, `data`
its properties. `subject` says whose it is: `customer:<user id>` or `anonymous:<id>` for a person,
`<kind>:<id>` for anything else, such as `flight:UA1545`.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
from cloudevents.core.base import BaseCloudEvent
from cloudevents.core.bindings.http import HTTPMessage, from_binary
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from api.reported import (
    LONGEST_NAME,
    Identity,
    RefusedMessageError,
    Reported,
    Subject,
    read_event,
    read_instant,
    read_name,
    read_object,
)
from api.request_body import MESSAGE_BYTES, UnacceptableValueError, check_values

BATCHED = "application/cloudevents-batch+json"
STRUCTURED = "application/cloudevents+json"

_PEOPLE = {"customer": "user_id", "anonymous": "anonymous_id"}
_REQUIRED = ("specversion", "id", "source", "type")
_PLAIN = frozenset({"id", "source", "specversion", "type", "subject", "time", "datacontenttype"})


def read_structured(raw: Any, place: str, received_at: datetime, *, sure: bool) -> Reported:
    """One event as JSON. Raises: `RefusedMessageError`."""
    fields = dict(read_object(raw, place)) if raw is not None else None
    if fields is None:
        raise RefusedMessageError(f"{place}: expected a JSON object")
    _check(fields, place, sure=sure)
    data = fields.pop("data", None)
    if fields.pop("data_base64", None) is not None:
        raise RefusedMessageError(f"{place}.data_base64: send JSON in data")
    happened = read_instant(fields.pop("time", None), f"{place}.time")
    attributes = {name: value for name, value in fields.items() if value is not None}
    _complete(attributes, place)
    return _reported(_event(attributes, data, place), place, happened or received_at)


def read_binary(headers: Mapping[str, str], body: bytes, received_at: datetime) -> Reported:
    """One event in headers, with its data as the body. Raises: `RefusedMessageError`."""
    given = {name: value for name, value in headers.items() if name.lower() != "ce-time"}
    time = next((value for name, value in headers.items() if name.lower() == "ce-time"), None)
    _complete({name.lower().removeprefix("ce-"): value for name, value in given.items()}, "event")
    try:
        event = from_binary(HTTPMessage(headers=given, body=body), JSONFormat(), CloudEvent)
    except Exception as error:  # the library raises whatever its parsers raise
        raise RefusedMessageError(f"event: {_in_words(error)}") from None
    happened = read_instant(time, "ce-time")
    data: Any = event.get_data()
    _check({"data": data, **event.get_attributes()}, "event", sure=False)
    return _reported(event, "event", happened or received_at)


def _check(fields: dict[str, Any], place: str, *, sure: bool) -> None:
    try:
        check_values(fields, place, sure=sure)
    except UnacceptableValueError as error:
        raise RefusedMessageError(str(error)) from None
    if len(orjson.dumps(fields, default=str)) > MESSAGE_BYTES:
        raise RefusedMessageError(f"{place}: over {MESSAGE_BYTES // 1024} KB; send less in it")


def _complete(attributes: Mapping[str, Any], place: str) -> None:
    """The library makes up an id and a time where there is none; an id must be the sender's."""
    for name in _REQUIRED:
        if not attributes.get(name):
            raise RefusedMessageError(f"{place}.{name}: is missing")


def _event(attributes: dict[str, Any], data: Any, place: str) -> CloudEvent:
    try:
        return CloudEvent(attributes, data)
    except Exception as error:  # the library raises whatever its checks raise
        raise RefusedMessageError(f"{place}: {_in_words(error)}") from None


def _reported(event: BaseCloudEvent, place: str, happened: datetime) -> Reported:
    names, subject = _whose(event.get_subject(), f"{place}.subject")
    extensions = {
        name: value for name, value in event.get_attributes().items() if name not in _PLAIN
    }
    context: dict[str, Any] = {"source": event.get_source(), **_texts(extensions)}
    if subject is not None:
        context["subject"] = {"kind": subject[0], "id": subject[1]}
    return Reported(
        kind="touchpoint",
        message_id=_message_id(event.get_source(), event.get_id()),
        event=read_event(event.get_type(), f"{place}.type"),
        occurred_at=happened,
        names=names,
        subject=subject,
        properties=read_object(event.get_data(), f"{place}.data"),
        context=context,
    )


def _whose(subject: str | None, place: str) -> tuple[tuple[Identity, ...], Subject | None]:
    kind, colon, name = (subject or "").partition(":")
    if not kind or not colon or not name:
        raise RefusedMessageError(f"{place}: expected customer:<id>, or <kind>:<id> of a subject")
    name = read_name(name, place)
    if kind in _PEOPLE:
        return ((_PEOPLE[kind], name),), None
    return (), (read_name(kind, place), name)


def _message_id(source: str, name: str) -> str:
    """Both together are unique, says the spec."""
    both = f"{source} {name}"
    return both if len(both) <= LONGEST_NAME else hashlib.sha256(both.encode()).hexdigest()


def _texts(extensions: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value if isinstance(value, str | int | bool) else str(value)
        for name, value in extensions.items()
    }


def _in_words(error: Exception) -> str:
    faults: Any = getattr(error, "errors", None)
    if isinstance(faults, dict):
        each: list[Any] = [fault for listed in faults.values() for fault in listed]  # pyright: ignore[reportUnknownVariableType] -- untyped in the library
        return "; ".join(map(str, each))[:300]
    return str(error)[:300] or type(error).__name__
