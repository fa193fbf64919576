"""What others send to a run, read from raw values: nothing they send can make a workflow task fail."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

from temporalio import workflow
from temporalio.common import RawValue

from contracts import names
from journey.happenings import Nudged, Resumed, ToldToLeave
from journey.touchpoint import RefusedTouchpointError, Touchpoint, read_touchpoint

REMEMBERED_REFUSALS = 20


@dataclass(slots=True, frozen=True, kw_only=True)
class MoveOrder:
    """An order to go on under another version, at a step of it."""

    version: str
    step: str | None


@dataclass(slots=True, frozen=True, kw_only=True)
class EngineOrder:
    """An order to go on under another engine, as a new execution, at the next quiet moment."""

    engine: int


Order = ToldToLeave | Resumed | Nudged | MoveOrder | EngineOrder

UPDATES = (names.UPDATE_TOUCHPOINT_NOW, names.UPDATE_LEAVE, names.UPDATE_MOVE, names.UPDATE_NUDGE)
"""The updates that a run takes."""


@dataclass(slots=True)
class Inbox:
    """Touchpoints and orders that came and were not yet looked at. `received` counts the signals of this run."""

    touchpoints: list[Touchpoint] = field(default_factory=list[Touchpoint])
    orders: list[Order] = field(default_factory=list[Order])
    refused: deque[str] = field(default_factory=lambda: deque[str](maxlen=REMEMBERED_REFUSALS))
    received: int = 0

    def take_signal(self, name: str, args: Sequence[RawValue], now: datetime) -> None:
        """Take a signal of any name and shape; what cannot be read is refused in words."""
        self.received += 1
        try:
            self._take(name, args, now)
        except RefusedTouchpointError as error:
            self.refuse(f"signal {name[:60]}: {error}")

    def _take(self, name: str, args: Sequence[RawValue], now: datetime) -> None:
        match name:
            case names.SIGNAL_TOUCHPOINT:
                self.touchpoints.append(self.read(_one(args), now))
            case names.SIGNAL_TOUCHPOINTS:
                listed = _one(args)
                if not isinstance(listed, list):
                    raise RefusedTouchpointError(
                        f"expected a list of touchpoints, got {type(listed).__name__}"
                    )
                for index, raw in enumerate(cast("list[object]", listed)):
                    try:
                        self.touchpoints.append(self.read(raw, now, index))
                    except RefusedTouchpointError as error:
                        self.refuse(f"signal touchpoints[{index}]: {error}")
            case names.SIGNAL_RESUME:
                self.orders.append(Resumed())
            case names.SIGNAL_ENGINE:
                engine = one_object(args).get("engine")
                if not isinstance(engine, int) or isinstance(engine, bool) or engine < 1:
                    raise RefusedTouchpointError("engine: expected the number of an engine")
                self.orders.append(EngineOrder(engine=engine))
            case _:
                raise RefusedTouchpointError(
                    f"no such signal; the signals are {names.SIGNAL_TOUCHPOINT}, {names.SIGNAL_TOUCHPOINTS} "
                    f"and {names.SIGNAL_RESUME}"
                )

    def read(self, raw: object, now: datetime, index: int = 0) -> Touchpoint:
        """A touchpoint from plain JSON. Raises: `RefusedTouchpointError`."""
        # What has no id and no time counts each time: its place in this run's history is its id.
        arrival = f"{workflow.info().run_id}/{self.received}/{index}"
        return read_touchpoint(raw, now, arrival)

    def refuse(self, words: str) -> None:
        """Remember that something was refused, and why."""
        self.refused.append(words[:300])


def read_order(name: str, told: Mapping[str, object]) -> Order:
    """The order that an update is. Raises: `RefusedTouchpointError`, in words of what is missing."""
    if name == names.UPDATE_LEAVE:
        return ToldToLeave(reason=_reason(told, "told to leave"))
    if name == names.UPDATE_NUDGE:
        address = told.get("address")
        if not isinstance(address, str) or not address:
            raise RefusedTouchpointError("address: expected the step at which it waits, as text")
        return Nudged(address=address[:200], reason=_reason(told, "told to go on"))
    version, step = told.get("version"), told.get("step")
    if not isinstance(version, str):
        raise RefusedTouchpointError("version: expected the version to move to, as text")
    return MoveOrder(version=version, step=str(step) if step else None)


def _reason(told: Mapping[str, object], otherwise: str) -> str:
    return str(told.get("reason") or otherwise)[:200]


def plain(value: RawValue) -> object:
    """A raw value as plain JSON. Raises: `RefusedTouchpointError`."""
    try:
        return workflow.payload_converter().from_payload(value.payload)
    except Exception as error:
        encoding = value.payload.metadata.get("encoding", b"none").decode("ascii", "replace")
        raise RefusedTouchpointError(
            f"payload with encoding {encoding[:40]} cannot be read as JSON"
        ) from error


def _one(args: Sequence[RawValue]) -> object:
    if len(args) != 1:
        raise RefusedTouchpointError(f"expected one JSON value, got {len(args)}")
    return plain(args[0])


def one_object(args: Sequence[RawValue]) -> dict[str, object]:
    """The one JSON object among the arguments. Raises: `RefusedTouchpointError`."""
    value = _one(args)
    if not isinstance(value, dict):
        raise RefusedTouchpointError(f"expected one JSON object, got {type(value).__name__}")
    return cast("dict[str, object]", value)
