"""Cases that customers open by themselves: they want a person, or to be forgotten."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from pydantic import JsonValue

from journey.effects import OfferedDecision
from journey.page_events import ERASURE_REQUESTED, PERSON_WANTED
from stores.case_hearing import BY_CUSTOMER
from stores.case_rows import happened
from stores.database import Connection, Pool, clean_text, ordered_json
from stores.touchpoints import store_touchpoint

MOST_A_DAY = 5
"""So often a customer may ask for a person in 24 hours: staff are to read each."""

_PERSON = {"answered": OfferedDecision(title="The customer has their answer")}
_ERASURE = {
    "erased": OfferedDecision(title="What we held is gone"),
    "kept": OfferedDecision(title="Some must be kept", fields={"reason": "text"}),
}

_OPEN = """
insert into cases ("case", entry, n, workflow_id, journey, customer, queue, brief, decisions, state,
                   first_answer_by, opened_at, asked, origin, clock, language)
select 'case/asked:0:' || n, 0, n, '', '', %(customer)s, %(queue)s, %(brief)s, %(decisions)s, 'open',
       %(answer_by)s, %(at)s, %(asked)s, 'customer', 'case/' || gen_random_uuid(),
       (select split_part(traits ->> 'locale', '-', 1) from customers where customer = %(customer)s)
  from nextval('cases_asked_for') n
returning "case", first_answer_by, opened_wall
"""


class TooManyCasesError(Exception):
    """The customer asked often today already: what they said is with staff."""


@dataclass(slots=True, frozen=True, kw_only=True)
class AskedCase:
    """A case that a customer asked for; `answer_by` where the queue promises a time."""

    case: str
    answer_by: datetime | None
    opened_at: datetime


class AskedCaseStore:
    """Opens cases for customers. `ring` is called where their runs are to be told."""

    def __init__(self, pool: Pool, ring: Callable[[], None] | None = None) -> None:
        self._pool = pool
        self._ring = ring or (lambda: None)

    async def want_person(
        self,
        customer: str,
        *,
        about: str,
        reach: str,
        run: int | None,
        form: str,
        queue: str,
        answer_by: datetime | None,
        at: datetime,
    ) -> AskedCase:
        """Open a case, or give the one that this form opened before. Raises: `TooManyCasesError`."""
        brief = f"{about}\n\nHow to reach them: {reach or 'as we know them'}"
        async with self._pool.connection() as connection:
            await _lock(connection, customer)
            asked = _asked("person", customer, form)
            before = await _before(connection, asked)
            if before is not None:
                return before
            await _refuse_too_many(connection, customer, at)
            workflow_id = await _workflow_id(connection, customer, run)
            if workflow_id:
                brief += f"\nThey were looking at: {workflow_id}"
            opened = await _open(
                connection, customer, queue, brief, _PERSON, answer_by=answer_by, at=at, asked=asked
            )
            said: dict[str, JsonValue] = {
                "case": opened.case,
                "about": about,
                "reach": reach,
                "run": workflow_id,
            }
            await _tell(connection, customer, PERSON_WANTED, opened, said, at)
        self._ring()
        return opened

    async def want_erasure(
        self, customer: str, *, queue: str, answer_by: datetime, at: datetime
    ) -> AskedCase:
        """Open a case for everything of a customer to go; while one is open, that one is given."""
        async with self._pool.connection() as connection:
            await _lock(connection, customer)
            before = await _open_erasure(connection, customer)
            if before is not None:
                return before
            brief = "The customer asks that everything we hold about them be erased."
            asked = _asked("erasure", customer, at.isoformat())
            opened = await _open(
                connection,
                customer,
                queue,
                brief,
                _ERASURE,
                answer_by=answer_by,
                at=at,
                asked=asked,
            )
            said: dict[str, JsonValue] = {"case": opened.case}
            await _tell(connection, customer, ERASURE_REQUESTED, opened, said, at)
        self._ring()
        return opened

    async def erasure_of(self, customer: str) -> AskedCase | None:
        """The request to be forgotten that is under way."""
        async with self._pool.connection() as connection:
            return await _open_erasure(connection, customer)


def _asked(kind: str, customer: str, form: str) -> str:
    # With the customer in it: the form of one is never that of another.
    return f"{kind}/{hashlib.sha256(f'{customer} {form}'.encode()).hexdigest()}"


async def _lock(connection: Connection, customer: str) -> None:
    await connection.execute(
        "select from customers where customer = %s for no key update", [customer]
    )


async def _before(connection: Connection, asked: str) -> AskedCase | None:
    cursor = await connection.execute(
        'select "case", first_answer_by, opened_at from cases where asked = %s', [asked]
    )
    row = await cursor.fetchone()
    return _asked_case(row) if row else None


async def _open_erasure(connection: Connection, customer: str) -> AskedCase | None:
    cursor = await connection.execute(
        'select "case", first_answer_by, opened_at from cases'
        " where customer = %s and under_way and asked like 'erasure/%%'"
        " order by opened_wall limit 1",
        [customer],
    )
    row = await cursor.fetchone()
    return _asked_case(row) if row else None


def _asked_case(row: Mapping[str, Any]) -> AskedCase:
    return AskedCase(case=row["case"], answer_by=row["first_answer_by"], opened_at=row["opened_at"])


async def _refuse_too_many(connection: Connection, customer: str, at: datetime) -> None:
    cursor = await connection.execute(
        "select count(*) as n from cases where customer = %s and asked like 'person/%%'"
        " and opened_at > %s - interval '24 hours'",
        [customer, at],
    )
    row = await cursor.fetchone()
    if row and row["n"] >= MOST_A_DAY:
        raise TooManyCasesError(f"{MOST_A_DAY} times in 24 hours")


async def _workflow_id(connection: Connection, customer: str, run: int | None) -> str | None:
    cursor = await connection.execute(
        "select workflow_id from runs where entry = %s and customer = %s", [run, customer]
    )
    row = await cursor.fetchone()
    return row["workflow_id"] if row else None


async def _open(
    connection: Connection,
    customer: str,
    queue: str,
    brief: str,
    decisions: Mapping[str, OfferedDecision],
    *,
    answer_by: datetime | None,
    at: datetime,
    asked: str,
) -> AskedCase:
    cursor = await connection.execute(
        _OPEN,
        {
            "customer": customer,
            "queue": queue,
            "brief": clean_text(brief),
            "decisions": ordered_json({name: asdict(each) for name, each in decisions.items()}),
            "answer_by": answer_by,
            "at": at,
            "asked": asked,
        },
    )
    row = await cursor.fetchone()
    assert row is not None
    await happened(connection, row["case"], at, BY_CUSTOMER, "opened")
    return AskedCase(case=row["case"], answer_by=answer_by, opened_at=at)


async def _tell(
    connection: Connection,
    customer: str,
    event: str,
    opened: AskedCase,
    said: dict[str, JsonValue],
    at: datetime,
) -> None:
    await store_touchpoint(
        connection,
        customer=customer,
        subject=None,
        message_id=f"asked/{opened.case}",
        event=event,
        occurred_at=at,
        properties=said,
        context={"source": "customer page"},
    )
