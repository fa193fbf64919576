"""Runs that were found, as a file: a table for spreadsheets (CSV, RFC 4180), or Parquet for programs.

In CSV a cell that a spreadsheet would take for a formula begins with an apostrophe (`stores.export_files`);
Parquet has everything as it is. At most `MOST_ROWS` rows and about `MOST_BYTES`: who entered last stands first,
and what is cut off is said.
"""

import asyncio
import csv
import io
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from typing import Any, BinaryIO, Literal, LiteralString, Protocol, get_args

from psycopg.errors import QueryCanceled
from pydantic import JsonValue

from stores.audit import record_deed
from stores.customers import STRENGTH
from stores.database import Connection, Pool, dump_json
from stores.export_files import safe
from stores.run_search import STANDING, TooWideError, hasten, narrowed
from stores.wanted_runs import WantedRuns, conditions_of, is_address

Format = Literal["csv", "parquet"]
FORMATS: tuple[Format, ...] = get_args(Format)
MEDIA_TYPES: dict[Format, str] = {
    "csv": "text/csv; charset=utf-8; header=present",
    "parquet": "application/vnd.apache.parquet",
}

MOST_ROWS = 100_000
MOST_BYTES = 32_000_000
MOST_TRAITS = 50
SECONDS = 60.0
IDS_OF_THE_HOUSE = ("user_id", "anonymous_id")
"""Identities by which nobody is reached."""

_AT_ONCE = 1_000
_CELL = 1_000
"""Letters of a trait that a file has; longer ones are cut, and end in …"""

_ROWS: LiteralString = """,
       (select jsonb_object_agg(k.kind, k.named)
          from (select i.kind, jsonb_agg(i.value order by i.value) as named from identities i
                 where i.customer = r.customer and (%(kinds)s::text[] is null or i.kind = any(%(kinds)s))
                 group by i.kind) k) as identities,
       (select jsonb_object_agg(t.name, case when length(p.traits ->> t.name) > %(cell)s
                                             then left(p.traits ->> t.name, %(cell)s) || '…'
                                             else p.traits ->> t.name end)
          from customers p cross join unnest(%(traits)s::text[]) t(name)
         where p.customer = r.customer and p.traits ? t.name) as traits
"""


@dataclass(slots=True, frozen=True, kw_only=True)
class FileWanted:
    """What is to be in a file. `kinds`: of identities that are given; None is all."""

    runs: WantedRuns
    format: Format = "csv"
    traits: Sequence[str] = ()
    kinds: Sequence[str] | None = None


@dataclass(slots=True, kw_only=True)
class Written:
    """What a file has. `cut`: there was more. `customers`: whom it is of."""

    rows: int = 0
    cut: bool = False
    customers: set[str] = field(default_factory=set[str])


@dataclass(slots=True, frozen=True)
class RunFiles:
    """Files of what somebody looks at now. Each is in the audit: who, of what, and how many rows."""

    pool: Pool

    async def export(self, wanted: FileWanted, into: BinaryIO, *, by: str) -> Written:
        """Write a file. Raises: `TooWideError`."""
        async with self.pool.connection() as connection:
            written = await write_file(connection, wanted, into)
            told = told_of(wanted, written)
            await record_deed(connection, by, "exported", "search", told)
        return written


def told_of(wanted: FileWanted, written: Written) -> dict[str, JsonValue]:
    """What the audit has of a file. It stays for ever, so that it names customers by our ids only.

    An identity is not in it, nor a value by which somebody is reached or one customer alone is found.
    """
    told: dict[str, JsonValue] = conditions_of(wanted.runs)
    if told.pop("identity", None):
        told["by_identity"] = True
    one = len(written.customers) <= 1
    if "value" in told and (one or is_address(wanted.runs.value)):
        told["value"] = "not written down: it may be where a customer is reached"
    if one and written.customers:
        told["customer"] = next(iter(written.customers))
    return {
        **told,
        "format": wanted.format,
        "traits": list(wanted.traits),
        "rows": written.rows,
        "cut": written.cut,
    }


class _Table(Protocol):
    def add(self, rows: list[dict[str, Any]]) -> None: ...
    def close(self) -> None: ...


async def write_file(connection: Connection, wanted: FileWanted, into: BinaryIO) -> Written:
    """Write a file, a thousand rows in memory at a time, in the caller's transaction.

    Raises: `TooWideError` where it takes longer than `SECONDS`.
    """
    columns = _columns(wanted)
    table = _TABLES[wanted.format](into, columns)
    written = Written()
    try:
        async with asyncio.timeout(SECONDS), aclosing(_found(connection, wanted)) as found:
            async for rows in found:
                room = MOST_ROWS - written.rows
                if into.tell() >= MOST_BYTES or not room:
                    written.cut = True
                    break
                taken = rows[:room]
                table.add([{name: value(row) for name, value in columns.items()} for row in taken])
                written.rows += len(taken)
                written.customers |= {row["customer"] for row in taken}
                written.cut = len(taken) < len(rows)
    except (QueryCanceled, TimeoutError):
        raise TooWideError(TooWideError.__doc__) from None
    table.close()
    return written


async def _found(
    connection: Connection, wanted: FileWanted
) -> AsyncGenerator[list[dict[str, Any]]]:
    await hasten(connection, SECONDS)
    where, values = await narrowed(connection, wanted.runs)
    if where is None:
        return
    kinds = list(wanted.kinds) if wanted.kinds is not None else None
    asked = {**values, "kinds": kinds, "traits": list(wanted.traits), "cell": _CELL}
    async with connection.cursor("runs_for_a_file") as cursor:
        await cursor.execute(
            f"select {STANDING} {_ROWS} {where} order by r.entry desc limit %(most)s",
            {**asked, "most": MOST_ROWS + 1},
        )
        while rows := await cursor.fetchmany(_AT_ONCE):
            yield rows


Value = Callable[[dict[str, Any]], Any]


def _columns(wanted: FileWanted) -> dict[str, Value]:
    """By name, how each is had of a row; in order."""
    kinds = [each for each in STRENGTH if wanted.kinds is None or each in wanted.kinds]
    named: dict[str, Value] = {kind: _identity(kind) for kind in kinds}
    if wanted.kinds is None:
        named["other_identities"] = _other_identities
    return {
        "customer": lambda row: row["customer"],
        **named,
        **{f"trait.{name}": _trait(name) for name in wanted.traits},
        "journey": lambda row: row["journey"],
        "key": lambda row: row["key"],
        "version": lambda row: row["version"],
        "state": lambda row: "under way" if row["state"] == "open" else "ended",
        "stage": lambda row: row["stage"],
        "step": lambda row: "; ".join(row["steps"]),
        "since": lambda row: row["since"],
        "waits_for": lambda row: "; ".join(row["waits_for"]),
        "wakes_at": lambda row: row["wakes_at"],
        "needs_people": lambda row: row["needs_attention"],
        "ended_how": lambda row: row["outcome"] if row["state"] == "finished" else None,
        "goal": lambda row: row["goal"] if row["state"] == "finished" else None,
        "entered_at": lambda row: row["entered_at"],
        "ended_at": lambda row: row["finished_at"],
    }


TIMES = {"since", "wakes_at", "entered_at", "ended_at"}


def _identity(kind: str) -> Value:
    return lambda row: "; ".join(_identities(row).get(kind, [])) or None


def _identities(row: dict[str, Any]) -> dict[str, list[str]]:
    return row["identities"] or {}


def _other_identities(row: dict[str, Any]) -> str | None:
    others = {k: v for k, v in _identities(row).items() if k not in STRENGTH}
    return "; ".join(f"{k}:{each}" for k, v in sorted(others.items()) for each in v) or None


def _trait(name: str) -> Value:
    def value(row: dict[str, Any]) -> str | None:
        traits: dict[str, str] = row["traits"] or {}
        return traits.get(name)

    return value


class _Csv:
    def __init__(self, into: BinaryIO, columns: dict[str, Value]) -> None:
        self._into = into
        self._line(list(columns))

    def add(self, rows: list[dict[str, Any]]) -> None:
        for row in rows:
            self._line([_cell(value) for value in row.values()])

    def close(self) -> None:
        self._into.flush()

    def _line(self, cells: list[str]) -> None:
        text = io.StringIO()
        csv.writer(text).writerow([safe(each) for each in cells])
        self._into.write(text.getvalue().encode())


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.isoformat()
        case str():
            return value
        case _:
            return dump_json(value).decode()


class _Parquet:
    def __init__(self, into: BinaryIO, columns: dict[str, Value]) -> None:
        # Loaded when it is needed: a file in a hundred is Parquet, and it is large. Its types are told by half.
        arrow: Any = import_module("pyarrow")
        parquet: Any = import_module("pyarrow.parquet")

        def kind(name: str) -> Any:
            if name in TIMES:
                return arrow.timestamp("us", tz="UTC")
            return arrow.bool_() if name == "goal" else arrow.string()

        self._table: Any = arrow.Table
        self._schema: Any = arrow.schema([(name, kind(name)) for name in columns])
        self._writer: Any = parquet.ParquetWriter(into, self._schema, compression="zstd")

    def add(self, rows: list[dict[str, Any]]) -> None:
        self._writer.write_table(self._table.from_pylist(rows, schema=self._schema))

    def close(self) -> None:
        self._writer.close()


_TABLES: dict[Format, Callable[[BinaryIO, dict[str, Value]], _Table]] = {
    "csv": _Csv,
    "parquet": _Parquet,
}
