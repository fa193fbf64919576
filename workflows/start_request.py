"""What a run is started with, as any SDK sends it."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from contracts.clock import RunClock
from contracts.converter import ERASED
from journey.touchpoint import RefusedTouchpointError

_CLOCK = TypeAdapter(RunClock)


@dataclass(slots=True, frozen=True, kw_only=True)
class StartRequest:
    """Who is to enter which journey under which key; the rest is for the router and rehearsals."""

    journey: str
    customer: str
    key: str | None = None
    version: str | None = None
    clock: RunClock | None = None


def read_start(raw: Mapping[str, object]) -> StartRequest:
    """Read a start. Unknown fields are ignored. Raises: `RefusedTouchpointError` naming the field."""
    if ERASED in raw:
        raise RefusedTouchpointError("its customer was erased")
    clock = raw.get("clock")
    try:
        read_clock = _CLOCK.validate_python(clock) if clock is not None else None
    except ValidationError as error:
        raise RefusedTouchpointError(f"clock: {error.errors()[0]['msg']}") from None
    return StartRequest(
        journey=_text(raw, "journey"),
        customer=_text(raw, "customer"),
        key=_text(raw, "key") if raw.get("key") is not None else None,
        version=_text(raw, "version") if raw.get("version") is not None else None,
        clock=read_clock,
    )


def _text(raw: Mapping[str, object], name: str) -> str:
    value = raw.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= 300 or "\0" in value:
        raise RefusedTouchpointError(
            f"{name}: expected text of 1 to 300 characters, none of them U+0000"
        )
    return value
