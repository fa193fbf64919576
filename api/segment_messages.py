"""Messages of the Segment spec: track, identify, page, screen, group, alias."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import uuid4

import orjson
from pydantic import BaseModel, BeforeValidator, ConfigDict, TypeAdapter, ValidationError

from api.reported import (
    Identity,
    RefusedMessageError,
    Reported,
    read_event,
    read_instant,
    read_name,
    read_object,
    read_subject,
)
from api.request_body import MESSAGE_BYTES, UnacceptableValueError, check_values
from journey.touchpoint import TRAITS_CHANGED
from stores.customers import ZONE_TRAITS, is_zone

TYPES = ("track", "identify", "page", "screen", "group", "alias")

PAGE_VIEWED = "Page Viewed"
SCREEN_VIEWED = "Screen Viewed"
GROUP = "$group"
ALIAS = "$alias"


def _number_as_text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


_Name = Annotated[str | None, BeforeValidator(_number_as_text)]


class _Message(BaseModel):
    """What every message may carry; the rest is read by its type."""

    model_config = ConfigDict(extra="ignore", strict=True)

    type: str | None = None
    messageId: _Name = None  # noqa: N815 -- Segment's spelling
    userId: _Name = None  # noqa: N815
    anonymousId: _Name = None  # noqa: N815
    previousId: _Name = None  # noqa: N815
    groupId: _Name = None  # noqa: N815
    event: Any = None
    name: str | None = None
    category: str | None = None
    timestamp: str | None = None
    originalTimestamp: str | None = None  # noqa: N815
    sentAt: str | None = None  # noqa: N815
    properties: dict[str, Any] | None = None
    traits: dict[str, Any] | None = None
    context: dict[str, Any] | None = None


_MESSAGE = TypeAdapter(_Message)


class SegmentReader:
    """Reads the messages of one request. `sent_at` is the sender's clock, ours is `received_at`."""

    def __init__(
        self,
        *,
        received_at: datetime,
        sent_at: object = None,
        context: Mapping[str, Any] | None = None,
        sure: bool = True,
        sized: bool = False,
    ) -> None:
        self._received_at = received_at
        self._sent_at = sent_at
        self._context = context or {}
        self._sure = sure
        self._sized = sized

    def read(self, raw: Any, place: str, kind: str | None = None) -> Reported:
        """One message; `kind` where the path says it. Raises: `RefusedMessageError`."""
        if not isinstance(raw, dict):
            raise RefusedMessageError(f"{place}: expected a JSON object")
        try:
            check_values(raw, place, sure=self._sure)
        except UnacceptableValueError as error:
            raise RefusedMessageError(str(error)) from None
        if not self._sized and len(orjson.dumps(raw)) > MESSAGE_BYTES:
            raise RefusedMessageError(f"{place}: over {MESSAGE_BYTES // 1024} KB; send less in it")
        try:
            message = _MESSAGE.validate_python(raw)
        except ValidationError as error:
            raise RefusedMessageError(_in_words(error, place)) from None
        kind = kind or message.type
        if kind not in TYPES:
            raise RefusedMessageError(f"{place}.type: expected one of {', '.join(TYPES)}")
        return self._reported(kind, message, raw, place)  # pyright: ignore[reportUnknownArgumentType] -- JSON

    def _reported(self, kind: str, message: _Message, raw: dict[str, Any], at: str) -> Reported:
        context = {**self._context, **(message.context or {})}
        subject = read_subject(context, f"{at}.context.subject")
        names = _names(message, at)
        if kind == "alias":
            names = _alias(message, at)
        if not names and (subject is None or kind != "track"):
            or_about = " (or a context.subject)" if kind == "track" else ""
            raise RefusedMessageError(f"{at}: expected a userId or an anonymousId{or_about}")
        event, properties = _SAYS[kind](message, at)
        if kind == "identify":
            names = (*names, *_contacts(properties))
            properties = _with_zone(properties, context, at)
        return Reported(
            kind=kind if kind in ("identify", "alias") else "touchpoint",
            message_id=self._message_id(message, raw, at),
            event=event,
            occurred_at=self._occurred_at(message, at),
            names=names,
            subject=subject,
            properties=properties,
            context=context,
        )

    def _message_id(self, message: _Message, raw: dict[str, Any], at: str) -> str:
        if message.messageId is not None:
            return read_name(message.messageId, f"{at}.messageId")
        if message.timestamp is None and message.originalTimestamp is None:
            return uuid4().hex  # nothing tells two of them apart: each arrival counts
        return hashlib.sha256(orjson.dumps(raw, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]

    def _occurred_at(self, message: _Message, at: str) -> datetime:
        """When it happened, with the sender's clock corrected by the time it says it sent it."""
        sent_at = read_instant(message.sentAt or self._sent_at, f"{at}.sentAt")
        happened = read_instant(
            message.timestamp or message.originalTimestamp or None, f"{at}.timestamp"
        )
        if happened is None:
            return self._received_at
        if sent_at is None:
            return happened
        try:
            corrected = happened + (self._received_at - sent_at)
            # Ends of the calendar are no times that anything happened at.
            _ = corrected - timedelta(days=366), corrected + timedelta(days=366)
        except OverflowError:
            raise RefusedMessageError(f"{at}.timestamp: is out of range") from None
        return corrected


def _names(message: _Message, at: str) -> tuple[Identity, ...]:
    """Empty ids are what clients send for none."""
    given = (
        ("user_id", message.userId, "userId"),
        ("anonymous_id", message.anonymousId, "anonymousId"),
    )
    return tuple((kind, read_name(name, f"{at}.{field}")) for kind, name, field in given if name)


def _alias(message: _Message, at: str) -> tuple[Identity, ...]:
    """First who they are now, then the name from before."""
    now = read_name(message.userId, f"{at}.userId")
    before = read_name(message.previousId or message.anonymousId, f"{at}.previousId")
    return ("user_id", now), ("anonymous_id", before)


def _contacts(traits: Mapping[str, Any]) -> tuple[Identity, ...]:
    """Addresses in traits that lead to the customer as well."""
    return tuple(
        (kind, value)
        for kind in ("email", "phone")
        if isinstance(value := traits.get(kind), str) and value.strip() and len(value) <= 320
    )


def _with_zone(traits: dict[str, Any], context: Mapping[str, Any], at: str) -> dict[str, Any]:
    zone = traits.get("zone")
    if zone is not None and not is_zone(zone):
        raise RefusedMessageError(
            f"{at}.traits.zone: expected an IANA time zone such as Europe/Prague"
        )
    if not any(name in traits for name in ZONE_TRAITS) and is_zone(context.get("timezone")):
        return {**traits, "zone": context["timezone"]}
    return traits


# -- what each type says: the event, and its properties

_Says = Callable[[_Message, str], tuple[str, dict[str, Any]]]


def _track(message: _Message, at: str) -> tuple[str, dict[str, Any]]:
    return read_event(message.event, f"{at}.event"), message.properties or {}


def _identify(message: _Message, at: str) -> tuple[str, dict[str, Any]]:
    # Before 2013 clients sent traits in the context; some servers still do.
    held = (message.context or {}).get("traits")
    traits = message.traits if message.traits is not None else held
    return TRAITS_CHANGED, read_object(traits, f"{at}.traits")


def _viewed(event: str) -> _Says:
    def says(message: _Message, at: str) -> tuple[str, dict[str, Any]]:
        del at
        named = {"name": message.name, "category": message.category}
        given = {name: value for name, value in named.items() if value is not None}
        return event, {**given, **(message.properties or {})}

    return says


def _group(message: _Message, at: str) -> tuple[str, dict[str, Any]]:
    group = read_name(message.groupId, f"{at}.groupId")
    return GROUP, {**(message.traits or {}), "groupId": group}


def _aliased(message: _Message, at: str) -> tuple[str, dict[str, Any]]:
    del at
    return ALIAS, {"previousId": message.previousId or message.anonymousId}


_SAYS: dict[str, _Says] = {
    "track": _track,
    "identify": _identify,
    "page": _viewed(PAGE_VIEWED),
    "screen": _viewed(SCREEN_VIEWED),
    "group": _group,
    "alias": _aliased,
}


def _in_words(error: ValidationError, place: str) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join([place, *map(str, first["loc"])])
    expected = {
        "string_type": "expected text",
        "dict_type": "expected a JSON object",
    }.get(first["type"], first["msg"])
    return f"{where}: {expected}"
