"""Calling a service outside."""

from dataclasses import dataclass, field

from pydantic import JsonValue

from contracts.journey_run import RunReference
from journey.effects import CallOut, SentRecord

CALL_REFUSED = "CallRefusedError"
"""Type of the non-retryable failure of a call that the service, or our own settings, refuse for good."""


@dataclass(slots=True, frozen=True, kw_only=True)
class CallService:
    """Call a service under `effect_key(run.workflow_id, run.entry, call.n)`, which it gets as the call's id."""

    run: RunReference
    call: CallOut
    record: SentRecord | None = None


@dataclass(slots=True, frozen=True, kw_only=True)
class ServiceAnswered:
    """What is kept of the answer."""

    result: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])


@dataclass(slots=True, frozen=True, kw_only=True)
class ActivityCall:
    """What an activity of the user's own is given: one JSON object. `key` is the same when it is tried again."""

    key: str
    journey: str
    customer: str
    values: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])
