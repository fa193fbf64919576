"""Where recorded touchpoints come from: a file of JSON lines, or a recording by name."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import orjson

from cli.checkout import need_examples
from cli.output import WRONG_USE, CommandError
from insight.recorded_touchpoints import (
    Recorded,
    RecordingMissingError,
    Unread,
    cdnow_file,
    read_cdnow,
    read_file,
)
from insight.sorted_recording import KnownCustomer

if TYPE_CHECKING:
    from insight.rehearsal_world import World

CDNOW, FLIGHTS = "cdnow", "flights"
STORM = date(2013, 2, 8)


class UnreadableCustomerError(ValueError):
    """A line that says nothing of a customer; the message names the field."""


@dataclass(slots=True, frozen=True, kw_only=True)
class Source:
    """A recording. `world`: who answers its customers, where it knows better than a rule.

    `size`: bytes of its file, None where that is not known. `ends`: when it ends, where that is
    later than its last touchpoint.
    """

    name: str
    read: Callable[[], Iterator[Recorded | Unread]]
    size: int | None = None
    world: "World | None" = None
    ends: datetime | None = None


def source_of(events: str, day: date | None, passengers: int) -> Source:
    """The recording meant. Raises: `CommandError`."""
    path = Path(events)
    if events == FLIGHTS and not path.exists():
        return _flights(day or STORM, passengers)
    if day is not None:
        raise CommandError("--day chooses a day of --events flights.", WRONG_USE)
    if events == CDNOW and not path.exists():
        try:
            found = cdnow_file()
        except RecordingMissingError as error:
            raise CommandError(str(error)) from None
        return Source(name=CDNOW, read=lambda: read_cdnow(found), size=found.stat().st_size)
    if not path.is_file():
        raise CommandError(
            f"{events}: there is no such file. Name one with a JSON object on each line, "
            f"or {CDNOW} or {FLIGHTS}.",
            WRONG_USE,
        )
    return Source(name=path.name, read=lambda: read_file(path), size=path.stat().st_size)


def read_customers(path: Path) -> Iterator[KnownCustomer | Unread]:
    """What is known of customers, a JSON object on each line: customer, traits, zone, addresses."""
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                yield _known(orjson.loads(line))
            except orjson.JSONDecodeError as error:
                yield Unread(f"{path}:{number}", f"is not JSON: {error}")
            except UnreadableCustomerError as error:
                yield Unread(f"{path}:{number}", str(error))


def _known(line: Any) -> KnownCustomer:
    from journey.spans import is_zone

    if not isinstance(line, dict):
        raise UnreadableCustomerError("is not a JSON object")
    told = cast("dict[str, Any]", line)
    name = told.get("customer", told.get("userId"))
    traits, addresses = _object(told, "traits") or {}, _object(told, "addresses")
    zone = told.get("zone", traits.get("zone"))
    if isinstance(name, int) and not isinstance(name, bool):
        name = str(name)
    if not isinstance(name, str) or not name:
        raise UnreadableCustomerError("customer: is missing; say whose traits these are")
    if zone is not None and not (isinstance(zone, str) and is_zone(zone)):
        raise UnreadableCustomerError("zone: expected an IANA time zone such as Europe/Prague")
    if addresses is not None:
        addresses = {way: str(one) for way, one in addresses.items() if one}
    return KnownCustomer(customer=name, traits=traits, zone=zone, addresses=addresses)


def _object(told: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    value = told.get(name)
    if value is not None and not isinstance(value, dict):
        raise UnreadableCustomerError(f"{name}: expected a JSON object")
    return cast("dict[str, Any] | None", value)


def _flights(day: date, passengers: int) -> Source:
    need_examples("A day of flights")
    from examples.flight.day import Day
    from examples.flight.departures import FlightDataMissingError, NoSuchDayError, departures
    from examples.flight.passengers import generate
    from examples.flight.rehearsed_day import FlightWorld, incoming

    try:
        real = departures(day)
    except (FlightDataMissingError, NoSuchDayError) as error:
        raise CommandError(str(error)) from None
    planned = Day(real, generate(real, passengers))

    def read() -> Iterator[Recorded | Unread]:
        for occurrence in planned.stream():
            coming = incoming(occurrence)
            yield Recorded(coming.customer, coming.touchpoint)

    return Source(
        name=f"flights of {day}", read=read, world=FlightWorld(planned), ends=planned.ends
    )
