"""Cases that staff open: somebody called, somebody stands at the counter, somebody wrote of us in public."""

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Literal, LiteralString
from uuid import uuid4

from pydantic import JsonValue

from contracts.ids import case_clock_of
from journey.effects import OfferedDecision
from stores.audit import record_deed
from stores.case_minding import mind
from stores.case_rows import Case, happened, present_case
from stores.customers import CustomerStore, find_customer, lock_canonical
from stores.database import Connection, Pool, clean_text, ordered_json
from stores.house import HouseStore

CaseOrigin = Literal["staff", "mention"]

ANSWERED = {"answered": OfferedDecision(title="The customer has their answer")}
"""What is on offer where whoever opens it names no decisions."""

_NUMBER = re.compile(r"\+?\d[\d\s()./-]{5,30}\d")
_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+")

_UNDER_WAY: LiteralString = """
select "case" from cases where customer = %s and queue = %s and under_way order by opened_wall limit 1
"""

_OPEN: LiteralString = """
insert into cases ("case", entry, n, workflow_id, journey, customer, queue, brief, decisions, state,
                   opened_at, queued_at, clock, origin, title, place, language, fixed)
select 'case/asked:0:' || n, 0, n, '', '', %(customer)s, %(queue)s, %(brief)s, %(decisions)s, 'open',
       %(at)s, %(at)s, %(clock)s, %(origin)s, %(title)s, %(place)s,
       (select split_part(traits ->> 'locale', '-', 1) from customers where customer = %(customer)s),
       '{}'
  from nextval('cases_asked_for') n
returning "case"
"""


class UnknownCallerError(LookupError):
    """Nobody is known by this name, and it is neither a number nor an address that one could be known by."""


@dataclass(slots=True, frozen=True, kw_only=True)
class NewCase:
    """A case to be opened. `customer`: our id, or any of their identities, such as the number they call from."""

    customer: str
    queue: str
    brief: str
    title: str = ""
    place: str | None = None
    origin: CaseOrigin = "staff"
    decisions: Mapping[str, OfferedDecision] | None = None


class StaffOpenedCaseStore:
    """Opens cases for staff. `wall_clock`: their time; no run has one for them."""

    def __init__(
        self, pool: Pool, wall_clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._pool = pool
        self._now = wall_clock
        self._customers = CustomerStore(pool)
        self._house = HouseStore(pool)

    async def open_by_staff(self, new: NewCase, *, by: str) -> tuple[Case, bool]:
        """The case, and whether it is new: who has one under way in this queue gets that one.

        A number or an address that nobody has becomes a customer. Raises: `UnknownCallerError`.
        """
        house, now = (await self._house.house()).queues, self._now()
        async with self._pool.connection() as connection:
            customer = await lock_canonical(
                connection, await self._caller(connection, new.customer)
            )
            before = await _under_way(connection, customer, new.queue)
            if before is not None:
                return await present_case(connection, before), False
            case = await _open(connection, customer, new, now)
            await happened(connection, case, now, by, "opened", detail={"origin": new.origin})
            told: dict[str, JsonValue] = {"queue": new.queue, "origin": new.origin}
            await record_deed(connection, by, "opened", f"case {case}", told)
            minded = await mind(connection, await present_case(connection, case), house, now)
        return minded.case, True

    async def _caller(self, connection: Connection, identity: str) -> str:
        for spelled in _spellings(identity):
            found = await find_customer(connection, spelled)
            if found is not None:
                return found.customer
        kind = _kind(identity)
        if kind is None:
            raise UnknownCallerError(
                f"nobody is known as {identity[:200]!r}; name them by a number, an address, or their id"
            )
        return await self._customers.resolve(connection, [(kind, _spellings(identity)[-1])])


def _spellings(identity: str) -> list[str]:
    """As it was said, and as it is dialled abroad: 00420 is +420."""
    said = identity.strip()
    if _NUMBER.fullmatch(said) and said.startswith("00"):
        return [said, f"+{said[2:]}"]
    return [said]


def _kind(identity: str) -> str | None:
    said = identity.strip()
    if _NUMBER.fullmatch(said):
        return "phone"
    return "email" if _ADDRESS.fullmatch(said) else None


async def _under_way(connection: Connection, customer: str, queue: str) -> str | None:
    cursor = await connection.execute(_UNDER_WAY, [customer, clean_text(queue)])
    row = await cursor.fetchone()
    return row["case"] if row else None


async def _open(connection: Connection, customer: str, new: NewCase, now: datetime) -> str:
    decisions = new.decisions or ANSWERED
    cursor = await connection.execute(
        _OPEN,
        {
            "customer": customer,
            "queue": clean_text(new.queue),
            "brief": clean_text(new.brief),
            "title": clean_text(new.title),
            "place": clean_text(new.place) if new.place else None,
            "origin": new.origin,
            "decisions": ordered_json({name: asdict(each) for name, each in decisions.items()}),
            "clock": case_clock_of(str(uuid4())),
            "at": now,
        },
    )
    row = await cursor.fetchone()
    assert row is not None
    return row["case"]
