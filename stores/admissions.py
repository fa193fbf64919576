"""Admissions: who entered which journey, and who was refused and why."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, LiteralString

from activities.admission_desk import (
    EarlierAnswer,
    Entrant,
    EntryHistory,
    GivenNumbers,
    NewEntry,
    Refusal,
    RunUnderWay,
    UnknownDefinitionError,
)
from contracts.fault_points import reach
from contracts.journey_run import AdmitRun, RunReference
from contracts.other_journey import ASKED_BY
from contracts.run_standing import ENDED_OUTSIDE
from journey.effects import RunRecord
from journey.program import Program
from journey.programs import PROGRAMS
from journey.touchpoint import ENTER, Touchpoint
from stores.customers import CustomerStore, find_customer, read_customer
from stores.database import Connection, Pool, clean_text, jsonb
from stores.definitions import live_version, load_definition
from stores.identity_graph import is_erased
from stores.requested_entries import tell_not_started
from stores.rerouting import route_again, route_subjects_again
from stores.run_records import write_record
from stores.touchpoints import store_touchpoint

_HISTORY: LiteralString = """
with same as (
    select entry, workflow_id, state, gives_way_to, entered_at, entering_message_id from runs
     where journey = %(journey)s
       and customer = any(array(
        select %(customer)s::text union all
        select customer from customers where merged_into = %(customer)s))
       and coalesce(key, '') = coalesce(%(key)s, '') and state <> 'not_admitted'
)
select (select max(entered_at) from same) as previous,
       array(select entering_message_id from same
              where entering_message_id = any(%(messages)s)) as used,
       open.entry as open_entry, open.workflow_id as open_workflow
  from (select) one
  left join lateral (select entry, workflow_id from same
                      where state = 'open' and gives_way_to is null
                      order by entry limit 1) open on true
"""

_ENTER: LiteralString = """
with entered as (
    insert into runs (workflow_id, first_run_id, journey, version, customer, key, engine, state,
                      held_out, entering_message_id, entered_at, began_at, holds, priority)
    select %(workflow_id)s, %(first_run_id)s, %(journey)s, %(version)s, %(customer)s, %(key)s,
           e.engine, 'open', %(held_out)s, %(message)s, %(now)s, %(began_at)s, %(holds)s, %(priority)s
      from engine e
    returning entry, engine
), listened as (
    insert into listening (kind, id, entry, customer, workflow_id)
    select w.kind, w.id, e.entry, %(customer)s, %(workflow_id)s
      from entered e cross join jsonb_to_recordset(%(listens)s) as w(kind text, id text)
)
select entry, engine,
       least(%(began_at)s, (select received_at from message_ids where message_id = %(message)s))
           as since
  from entered
"""

_REFUSE: LiteralString = """
insert into runs (workflow_id, first_run_id, journey, version, customer, key, engine, state,
                  reason, detail, entered_at, began_at, finished_at)
select %(workflow_id)s, %(first_run_id)s, %(journey)s, %(version)s, %(customer)s, %(key)s,
       e.engine, 'not_admitted', %(reason)s, %(detail)s, %(now)s, %(began_at)s, %(now)s
  from engine e
"""

_FATES: LiteralString = """
update arrivals a
   set fates = a.fates || jsonb_build_array(jsonb_build_object(
           'fate', 'not_admitted', 'journey', %(journey)s::text, 'reason', f.reason))
  from jsonb_to_recordset(%(fates)s) as f(message_id text, reason text)
  join message_ids m using (message_id)
 where a.touchpoint = m.touchpoint
   and a.customer = any(array(
        select %(customer)s::text union all
        select customer from customers where merged_into = %(customer)s))
"""

_KNOWN_SINCE: LiteralString = """
select greatest(min(m.received_at), (
           select least(r.began_at, e.received_at)
             from runs r left join message_ids e on e.message_id = r.entering_message_id
            where r.workflow_id = %(run)s and r.state = 'open')) as since
  from message_ids m where m.message_id = any(%(messages)s)
having count(*) > 0
"""


class AdmissionStore:
    """Where admissions are decided. `ring` is called where touchpoints were put back for a run."""

    def __init__(
        self, pool: Pool, customers: CustomerStore, ring: Callable[[], None] | None = None
    ) -> None:
        self._pool = pool
        self._customers = customers
        self._ring = ring or (lambda: None)

    @asynccontextmanager
    async def desk(self, order: AdmitRun) -> AsyncGenerator["PostgresAdmissionDesk"]:
        """A transaction to decide one admission in; who asks for the same run at once waits."""
        async with self._pool.connection() as connection:
            await connection.execute(
                "select pg_advisory_xact_lock(hashtextextended(%s, 0))",
                [f"admit {order.first_run_id}"],
            )
            yield PostgresAdmissionDesk(connection, self._customers, order)
            reach("admission.before_commit")
        reach("admission.after_commit")
        self._ring()

    async def definition(self, version: str) -> bytes | None:
        """The canonical JSON of a version."""
        async with self._pool.connection() as connection:
            return await load_definition(connection, version)

    async def move(self, run: RunReference, version: str) -> None:
        """Move a run to another version; what its customer had since it began is routed again."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                """
                update runs r set version = d.version, updated_at = now(), moved_at = now()
                  from definitions d, (select version from runs
                                        where entry = %(entry)s for no key update) old
                 where r.entry = %(entry)s and d.version = %(version)s and d.journey = r.journey
                returning r.customer, r.workflow_id, old.version as before, least(r.began_at, (
                    select received_at from message_ids m
                     where m.message_id = r.entering_message_id)) as since
                """,
                {"entry": run.entry, "version": version},
            )
            moved = await cursor.fetchone()
            if moved is None:
                raise UnknownDefinitionError(f"{run.journey!r} has no version {version}")
            await route_again(
                connection,
                customer=moved["customer"],
                run=moved["workflow_id"],
                since=moved["since"],
                before=await _program(connection, moved["before"]),
            )
        self._ring()


class PostgresAdmissionDesk:
    """One admission's transaction."""

    def __init__(self, connection: Connection, customers: CustomerStore, order: AdmitRun) -> None:
        self._connection = connection
        self._customers = customers
        self._order = order

    async def earlier_answer(self) -> EarlierAnswer | None:
        """What this run was answered before, if it was."""
        cursor = await self._connection.execute(
            """
            select state, coalesce(reason, '') as reason, detail, entry, version, engine, customer,
                   held_out, entering_message_id
              from runs where first_run_id = %s
            """,
            [self._order.first_run_id],
        )
        row = await cursor.fetchone()
        return EarlierAnswer(**row) if row else None

    async def live_version(self, journey: str) -> str | None:
        """The version that customers enter now."""
        return await live_version(self._connection, journey)

    async def definition(self, version: str) -> bytes | None:
        """The canonical JSON of a version."""
        return await load_definition(self._connection, version)

    async def entrant(self, identity: str) -> Entrant:
        """The customer of our id or of any identity, created where unknown; locks them."""
        own = clean_text(identity)
        locked = await read_customer(self._connection, own, lock=True)
        formerly = own if locked is not None and locked.customer != own else None
        if locked is None and await is_erased(self._connection, own):
            return Entrant(customer=own, zone=None, traits={}, profile={}, erased=True)
        if locked is None:
            found = await find_customer(self._connection, identity)
            named = [("user_id", identity)]
            customer = (
                found.customer
                if found is not None
                else await self._customers.resolve(self._connection, named)
            )
            locked = await read_customer(self._connection, customer, lock=True)
        if locked is None:
            raise LookupError(f"customer {identity!r} was removed meanwhile")
        return Entrant(
            customer=locked.customer,
            zone=locked.zone,
            traits=locked.traits,
            profile=locked.profile(),
            formerly=formerly,
            erased=locked.erased,
        )

    async def history(
        self, journey: str, customer: str, key: str | None, message_ids: Sequence[str]
    ) -> EntryHistory:
        """What is known of earlier entries."""
        cursor = await self._connection.execute(
            _HISTORY,
            {
                "journey": journey,
                "customer": customer,
                "key": clean_text(key) if key else key,
                "messages": _clean(message_ids),
            },
        )
        row: dict[str, Any] = await cursor.fetchone() or {}
        under_way = None
        if row["open_entry"] is not None:
            under_way = RunUnderWay(entry=row["open_entry"], workflow_id=row["open_workflow"])
        return EntryHistory(
            used=frozenset(row["used"]), previous=row["previous"], under_way=under_way
        )

    async def entered_since(self, journey: str, since: datetime) -> int:
        """How many have entered the journey after an instant; who enters at the same time waits."""
        await self._connection.execute(
            "select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"entries of {journey}"]
        )
        cursor = await self._connection.execute(
            "select count(*) as entered from runs"
            " where journey = %s and state <> 'not_admitted' and entered_at > %s",
            [journey, since],
        )
        row = await cursor.fetchone()
        return row["entered"] if row else 0

    async def supersede(self, entry: int) -> None:
        """Close the record of a run that is no more: another one runs under its workflow id."""
        await self._connection.execute(
            """
            with over as (
                update runs set state = 'finished', outcome = coalesce(outcome, %s),
                       finished_at = %s, updated_at = now()
                 where entry = %s and state = 'open' returning entry
            )
            delete from listening l using over where l.entry = over.entry
            """,
            [ENDED_OUTSIDE, self._order.now, entry],
        )

    async def enter(self, entry: NewEntry) -> GivenNumbers:
        """Open the run; what its customer and its subjects had since it began is routed again."""
        pairs = [{"kind": kind, "id": one} for kind, ids in entry.listens.items() for one in ids]
        cursor = await self._connection.execute(
            _ENTER,
            self._run(entry.customer, entry.version)
            | {
                "held_out": entry.held_out,
                "message": clean_text(entry.entering_message_id),
                "listens": jsonb(pairs),
                "holds": entry.holds,
                "priority": entry.priority,
            },
        )
        row: dict[str, Any] = await cursor.fetchone() or {}
        run, since = self._order.workflow_id, row["since"]
        again: dict[str, Any] = {"customer": entry.customer, "run": run, "since": since}
        await route_subjects_again(self._connection, subjects=dict(entry.listens), **again)
        await route_again(self._connection, heard=self._order.arrived, **again)
        return GivenNumbers(entry=row["entry"], engine=row["engine"])

    async def write_first(self, entry: int, record: RunRecord) -> None:
        """Write down how the run of this entry stands at first."""
        order = self._order
        run = RunReference(
            entry=entry, journey=order.journey, customer=order.customer, now=order.now
        )
        await write_record(self._connection, run, record)

    async def refuse(self, refusal: Refusal) -> None:
        """Record that the run may not begin, also among the fates of its touchpoints."""
        values = self._run(refusal.customer, refusal.version)
        words = {"reason": refusal.reason, "detail": clean_text(refusal.detail)}
        await self._connection.execute(_REFUSE, values | words)
        fates = [{"message_id": name, "reason": why} for name, why in refusal.fates.items()]
        if fates:
            await self._connection.execute(_FATES, values | {"fates": jsonb(fates)})
        asked = (
            {}
            if refusal.forwarded
            else {
                str(each.properties[ASKED_BY]): refusal.detail or refusal.reason
                for each in self._order.arrived
                if each.event == ENTER and ASKED_BY in each.properties
            }
        )
        await tell_not_started(self._connection, refusal.customer, asked, self._order.now)

    async def hand_over(self, customer: str, run: str, touchpoints: Sequence[Touchpoint]) -> None:
        """Store touchpoints as the customer's own, so that their open run gets them."""
        known = [t.message_id for t in touchpoints if await self._store(customer, t) is None]
        cursor = await self._connection.execute(
            _KNOWN_SINCE, {"run": run, "messages": _clean(known)}
        )
        row = await cursor.fetchone()
        if row is not None and row["since"] is not None:
            # What the router has already is aimed at the open run, should that not have it yet.
            await route_again(self._connection, customer=customer, run=run, since=row["since"])

    async def _store(self, customer: str, touchpoint: Touchpoint) -> int | None:
        return await store_touchpoint(
            self._connection,
            customer=customer,
            subject=None,
            message_id=touchpoint.message_id,
            event=touchpoint.event,
            occurred_at=touchpoint.timestamp,
            properties=touchpoint.properties,
            context=touchpoint.context,
        )

    def _run(self, customer: str, version: str | None) -> dict[str, Any]:
        order = self._order
        return {
            "workflow_id": order.workflow_id,
            "first_run_id": order.first_run_id,
            "journey": order.journey,
            "version": version,
            "customer": customer,
            "key": clean_text(order.key) if order.key else order.key,
            "now": order.now,
            "began_at": order.began_at,
        }


async def _program(connection: Connection, version: str) -> Program | None:
    held = PROGRAMS.get(version)
    if held is not None:
        return held
    canonical = await load_definition(connection, version)
    return None if canonical is None else PROGRAMS.add(canonical)


def _clean(texts: Sequence[str]) -> list[str]:
    return [clean_text(text) for text in texts]
