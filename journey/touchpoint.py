"""One thing that happened to a customer or to a subject, as it reaches a run."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import cast

import orjson
from pydantic import JsonValue

from journey.message_events import MESSAGE_EVENTS
from journey.moment_events import MOMENT_EVENTS
from journey.page_events import PAGE_EVENTS
from journey.staff_events import STAFF_EVENTS

_TWO_DIGITS = [f"{number:02}" for number in range(60)]

TRAITS_CHANGED = "$identify"
"""The event under which a change of traits reaches a run; its properties are the traits that changed."""

CASE_DECIDED = "Case Decided"
"""The event under which a decision of staff reaches a run; `properties.case` names the case."""


SURVEY_ANSWERED = "Survey Answered"
"""The event under which an answer to a survey reaches a run; `properties.ask` names what was asked."""

RUN_ENDED = "Run Ended"
"""The event under which the end of a run that a run began reaches it; `properties.run` names the beginning."""

ENTER = "$enter"
"""The event by which a customer is entered otherwise than by what they did; `properties.journey` names the journey."""

ENTER_NAMES = ("journey", "asked_by")
"""Its properties that we write ourselves: which journey it is, and the key of the run that asked for it."""

AUDIENCE_LEFT = "$left_audience"
"""The event that says that a customer is no longer of the audience of `properties.journey`."""

HOLD_LIFTED = "$hold_lifted"
"""The event that says that messages which another journey held may go now."""

MERGED = "$merged"
"""The event that says that two runs are of one customer now, and that this one ends for the other."""

MERGED_OUTCOME = "merged"
"""The outcome of a run that gave way to another one of the same customer."""

OURS = frozenset(
    {
        TRAITS_CHANGED,
        CASE_DECIDED,
        SURVEY_ANSWERED,
        RUN_ENDED,
        ENTER,
        AUDIENCE_LEFT,
        HOLD_LIFTED,
        MERGED,
        *MOMENT_EVENTS,
        *STAFF_EVENTS,
    }
)
"""Events that we make ourselves: nobody outside sends or describes them."""


RESERVED = OURS | MESSAGE_EVENTS
"""Events that nobody outside may send: what only we know happened."""


def is_ours(event: str) -> bool:
    """Whether an event is one that we make, or a reserved one, which nobody has to describe."""
    return event.startswith("$") or event in RESERVED or event in PAGE_EVENTS


class RefusedTouchpointError(ValueError):
    """A touchpoint that cannot be read; the message names the field and the remedy."""


@dataclass(slots=True, frozen=True, kw_only=True)
class Touchpoint:
    """One thing that happened, with its name, its properties and where it was.

    `number` is its place among the customer's touchpoints, given by the router;
    None where a sender signalled the run directly. `context["subject"]` holds
    `{"kind", "id"}` when it is about a thing rather than a person.
    """

    message_id: str
    event: str
    timestamp: datetime
    properties: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    context: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    number: int | None = None

    def named(self) -> dict[str, JsonValue]:
        """What conditions and templates see as `event`."""
        return {
            "name": self.event,
            "timestamp": stamp(self.timestamp),
            "properties": self.properties,
            "context": self.context,
        }


def stamp(moment: datetime) -> str:
    """An instant as RFC 3339 text, as short as it can be said to the millisecond."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    two, milliseconds = _TWO_DIGITS, moment.microsecond // 1000
    # Put together from parts: a third of the time that isoformat takes, once for each touchpoint that is met.
    text = (
        f"{moment.year:04}-{two[moment.month]}-{two[moment.day]}"
        f"T{two[moment.hour]}:{two[moment.minute]}:{two[moment.second]}"
    )
    return f"{text}.{milliseconds:03}Z" if moment.microsecond else f"{text}Z"


def minute(moment: datetime) -> str:
    """An instant as a person reads it: `2026-11-22 09:00`. The zone is that of the instant."""
    two = _TWO_DIGITS
    return (
        f"{moment.year}-{two[moment.month]}-{two[moment.day]}"
        f" {two[moment.hour]}:{two[moment.minute]}"
    )


def read_touchpoint(raw: object, arrived: datetime, arrival: str) -> Touchpoint:
    """A touchpoint from plain JSON as any SDK sends it (design: the wire).

    `arrival` makes a message id for what has neither id nor timestamp: such a
    touchpoint counts each time it arrives. Unknown fields are ignored.

    Raises: `RefusedTouchpointError` naming the field.
    """
    if not isinstance(raw, Mapping):
        raise RefusedTouchpointError(f"expected one JSON object, got {type(raw).__name__}")
    fields = cast("Mapping[str, object]", raw)
    event = fields.get("event")
    if not isinstance(event, str) or not event.strip() or len(event) > 200:
        raise RefusedTouchpointError("event: expected its name, 1 to 200 characters")
    properties, context = _object(fields, "properties"), _object(fields, "context")
    timestamp = _timestamp(fields.get("timestamp"))
    message_id = fields.get("message_id")
    if message_id is None:
        if timestamp is None:
            message_id = arrival
        else:
            said = orjson.dumps([event, timestamp, properties], option=orjson.OPT_SORT_KEYS)
            message_id = hashlib.sha256(said).hexdigest()[:32]
    if not isinstance(message_id, str) or not 1 <= len(message_id) <= 200:
        raise RefusedTouchpointError("message_id: expected text of 1 to 200 characters")
    number = fields.get("number")
    if number is not None and (
        not isinstance(number, int) or isinstance(number, bool) or number < 1
    ):
        raise RefusedTouchpointError(
            "number: expected a whole number from 1 (only the router sends it)"
        )
    return Touchpoint(
        message_id=message_id,
        event=event,
        timestamp=timestamp or arrived,
        properties=properties,
        context=context,
        number=number,
    )


def _object(fields: Mapping[str, object], name: str) -> dict[str, JsonValue]:
    value = fields.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise RefusedTouchpointError(f"{name}: expected a JSON object, got {type(value).__name__}")
    return cast("dict[str, JsonValue]", value)


def _timestamp(value: object) -> datetime | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise RefusedTouchpointError(
            "timestamp: expected RFC 3339 text such as 2026-11-22T09:00:00Z"
        )
    try:
        read = datetime.fromisoformat(value)
    except ValueError as error:
        raise RefusedTouchpointError(f"timestamp: {value[:40]!r} is not RFC 3339") from error
    if read.tzinfo is None:
        raise RefusedTouchpointError("timestamp: has no zone; end it with Z or an offset")
    try:
        return read.astimezone(UTC)
    except (OverflowError, ValueError) as error:
        raise RefusedTouchpointError(f"timestamp: {value[:40]!r} is out of range") from error
