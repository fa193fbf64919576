"""What a backtest made, written down by COPY in batches: a database to try pages and queries on.

Every process that plays parts has a connection of its own, and each part is one transaction. Run
time stands in for wall time, for there was none.
"""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Json, Jsonb

from contracts.made_records import (
    BacktestRecordsError,
    Made,
    MadeCase,
    MadeCustomer,
    MadeDelivery,
    MadeRun,
    MadeTouchpoint,
)
from journey.machine import ENGINE
from journey.touchpoint import stamp
from stores.customers import normalised
from stores.database import clean_text, dump_json

BATCH_ROWS = 20_000
"""Rows that a process holds before it writes them."""

Connection = psycopg.Connection[tuple[Any, ...]]
Brief = Callable[[MadeCase], str]


# In this order, so that what is referred to is there.
_COLUMNS = {
    "customers": "customer traits zone created_at",
    "identities": "kind value customer created_at",
    "message_ids": "message_id touchpoint received_at",
    "touchpoints": "touchpoint received_at message_id event customer subject_kind subject_id"
    " occurred_at properties context",
    "runs": "entry workflow_id first_run_id journey version customer key engine state held_out"
    " entering_message_id entered_at began_at sequence recorded_at stage waits_for wakes_at"
    " needs_attention outcome goal finished_at updated_at stands",
    "listening": "kind id entry customer workflow_id",
    "trace": "entry sequence at address kind why",
    "stays": "entry address since until",
    "promises": "entry n name by state at reason sequence",
    "deliveries": "key entry n journey customer message purpose channel address state reason words"
    " attempts run_time intended_at settled_at replaces",
    "cases": "case entry n workflow_id journey customer queue brief decisions state decision fields"
    " decided_by reason first_answer_by resolve_by opened_at opened_wall answered_at resolved_at",
}

# Customers and touchpoints may be there from a backtest of another journey over the same recording.
_SHARED = ("customers", "identities", "message_ids", "touchpoints")

_MERGE = {
    name: sql.SQL("insert into {} ({columns}) select {columns} from given on conflict do nothing")
    for name in ("customers", "identities", "message_ids")
}
_MERGE["touchpoints"] = sql.SQL(
    "insert into {} ({columns}) overriding system value"
    " select {columns} from given join message_ids using (message_id, touchpoint, received_at)"
)


@dataclass(slots=True, frozen=True, kw_only=True)
class OpenBacktestRuns:
    """Opens `BacktestRuns` on a database, one transaction each. It travels to other processes.

    `shared`: customers and touchpoints may be there already.
    """

    url: str
    journey: str
    version: str
    touchpoints: int
    shared: bool
    brief: Brief

    @contextmanager
    def __call__(self) -> Generator["BacktestRuns"]:
        try:
            with psycopg.connect(self.url, application_name="clew backtest") as connection:
                connection.execute("set local synchronous_commit to off")
                runs = BacktestRuns(connection, self)
                yield runs
                runs.flush()
        except psycopg.errors.UniqueViolation as error:
            told = (error.diag.message_detail or str(error)).strip()
            raise BacktestRecordsError(
                f"Something is there already: {told} A part of the backtest is written; "
                "empty the database, or say --add, which keeps what is there."
            ) from None


class BacktestRuns:
    """Takes what was made, and writes it whenever it is a batch."""

    def __init__(self, connection: Connection, opened: OpenBacktestRuns) -> None:
        self._connection = connection
        self._opened = opened
        self._rows: dict[str, list[Sequence[object]]] = {table: [] for table in _COLUMNS}
        self._held = 0

    def take(self, made: Made) -> None:
        """Keep these records."""
        for customer in made.customers:
            self._customer(customer)
        for touchpoint in made.touchpoints:
            self._touchpoint(touchpoint)
        for run in made.runs:
            self._run(run)
        for delivery in made.deliveries:
            self._add("deliveries", self._delivery(delivery))
        for case in made.cases:
            self._add("cases", self._case(case))
        if self._held >= BATCH_ROWS:
            self.flush()

    def flush(self) -> None:
        """Write what is held."""
        for table, rows in self._rows.items():
            if rows:
                self._copy(table, rows)
                rows.clear()
        self._held = 0

    def _copy(self, table: str, rows: Sequence[Sequence[object]]) -> None:
        shared = self._opened.shared and table in _SHARED
        columns = sql.SQL(", ").join(map(sql.Identifier, _COLUMNS[table].split()))
        here = sql.Identifier(table)
        with self._connection.cursor() as cursor:
            into = sql.Identifier("given") if shared else here
            if shared:
                cursor.execute(
                    sql.SQL("create temp table given as select * from {} limit 0").format(here)
                )
            with cursor.copy(sql.SQL("copy {} ({}) from stdin").format(into, columns)) as copy:
                for row in rows:
                    copy.write_row(row)
            if shared:
                cursor.execute(_MERGE[table].format(here, columns=columns))
                if table == "identities":
                    self._look_for_others(cursor)
                cursor.execute("drop table given")

    def _look_for_others(self, cursor: psycopg.Cursor[tuple[Any, ...]]) -> None:
        """A name that leads to somebody else here must not get the runs of two."""
        cursor.execute(
            "select i.value from identities i join given g using (kind, value)"
            " where i.customer <> g.customer limit 1"
        )
        other = cursor.fetchone()
        if other is not None:
            raise BacktestRecordsError(
                f"Customer {other[0]} of the recording is known here as somebody already: a backtest "
                "makes its customers itself. Name a database of its own."
            )

    def _add(self, table: str, row: Sequence[object]) -> None:
        self._rows[table].append(row)
        self._held += 1

    # -- one record as rows

    def _customer(self, made: MadeCustomer) -> None:
        given = dict(made.traits)
        self._add("customers", (made.customer, _jsonb(given), made.zone, made.since))
        _, name = normalised("user_id", made.name)
        self._add("identities", ("user_id", clean_text(name), made.customer, made.since))

    def _touchpoint(self, made: MadeTouchpoint) -> None:
        number = self._opened.touchpoints + 1 + made.place
        message_id, received = clean_text(made.message_id), made.at
        kind, subject = made.subject or (None, None)
        self._add("message_ids", (message_id, number, received))
        row = (
            *(number, received, message_id, clean_text(made.event), made.customer),
            *(kind and clean_text(kind), subject and clean_text(subject), made.at),
            *(_jsonb(made.properties), _jsonb(made.context)),
        )
        self._add("touchpoints", row)

    def _run(self, made: MadeRun) -> None:
        opened = self._opened
        state = "open" if made.outcome is None else "finished"
        row = (
            *(made.entry, clean_text(made.workflow_id), f"backtest/{made.entry}"),
            *(opened.journey, opened.version, made.customer, _text(made.key), ENGINE, state),
            *(made.held_out, clean_text(made.entered_by), made.entered_at, made.entered_at),
            *(made.sequence, made.recorded_at, made.stage, _jsonb(list(made.waits_for))),
            *(made.wakes_at, _text(made.needs_attention), made.outcome, made.goal),
            *(made.finished_at, made.recorded_at),
            _jsonb({address: stamp(since) for address, since in made.stands.items()}),
        )
        self._add("runs", row)
        for kind, one in made.listens if made.outcome is None else ():
            self._add("listening", (kind, one, made.entry, made.customer, made.workflow_id))
        for told in made.trace:
            entry = (made.entry, told.sequence, told.at, told.address, told.kind)
            self._add("trace", (*entry, clean_text(told.why)))
        for stay in made.stays:
            self._add("stays", (made.entry, *stay))
        for promise in made.promises:
            stands = (promise.n, promise.name, promise.by, promise.state, promise.at)
            row = (made.entry, *stands, clean_text(promise.reason), made.sequence)
            self._add("promises", row)

    def _delivery(self, made: MadeDelivery) -> Sequence[object]:
        decided = made.settled_at if made.state in ("accepted", "unknown") else None
        return (
            *(made.key, made.entry, made.n, self._opened.journey, made.customer, made.message),
            *(made.purpose, made.channel, made.address, made.state, made.reason),
            *(clean_text(made.words), 1, made.asked_at, decided, made.settled_at, made.replaces),
        )

    def _case(self, made: MadeCase) -> Sequence[object]:
        decisions = {name: asdict(offered) for name, offered in made.decisions.items()}
        answered = made.settled_at if made.decision is not None else None
        return (
            *(made.case, made.entry, made.n, made.workflow_id, self._opened.journey),
            *(made.customer, made.queue, clean_text(self._opened.brief(made))),
            *(Json(decisions, dumps=dump_json), made.state, made.decision, _jsonb(made.fields)),
            *(made.by, clean_text(made.reason), made.first_answer_by, made.resolve_by),
            *(made.opened_at, made.opened_at, answered, made.settled_at),
        )


def _text(value: str | None) -> str | None:
    return None if value is None else clean_text(value)


def _jsonb(value: object) -> Jsonb:
    return Jsonb(value, dumps=dump_json)
