"""What staff do with a case: take it, pass it on, put it off, decide it, have it approved, open it again.

Each is one transaction under the lock of the case: what happened, the deed in the audit, what its clock has to
know, and what its run is told.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from psycopg import sql
from pydantic import JsonValue

from contracts.fault_points import reach
from contracts.ids import message_id
from journey.case_clock import TAKEN, UNTAKEN
from journey.decisions import AuthorityExceededError, checked_decision
from journey.queues import QueuesFile
from journey.spans import read_span
from journey.touchpoint import CASE_DECIDED
from stores.audit import record_deed
from stores.case_assignment import waiting_for
from stores.case_decisions import (
    ApprovalRefusedError,
    CaseAlreadyClaimedError,
    CaseClosedError,
    NotYoursError,
)
from stores.case_learned import Learned, keep_learned
from stores.case_minding import mind, queue_of
from stores.case_rows import Case, happened, held_case, lock_case, present_case, reopen, run_time
from stores.cases import CaseStore
from stores.database import Connection, clean_text, jsonb
from stores.members import Member, UnknownMemberError, read_member
from stores.touchpoints import NewTouchpoint, store_touchpoints


@dataclass(slots=True)
class CaseAtWork:
    """A case that a transaction holds, and who works on it. `after`: as it is when the transaction ends."""

    connection: Connection
    case: Case
    by: str
    member: Member | None
    house: QueuesFile | None
    now: datetime
    tells_run: bool = False
    after: Case = field(init=False)

    async def set(self, **values: object) -> None:
        """Change columns of its row; the names are ours, never from outside."""
        sets = sql.SQL(", ").join(
            sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(name))
            for name in values
        )
        await self.connection.execute(
            sql.SQL('update cases set {} where "case" = %(of_case)s').format(sets),
            {**values, "of_case": self.case.case},
        )

    async def did(
        self, did: str, *, why: str = "", detail: Mapping[str, JsonValue] | None = None
    ) -> None:
        """Write down that it was done: beside the case, and in the audit."""
        await happened(
            self.connection, self.case.case, self.now, self.by, did, why=why, detail=detail
        )
        await record_deed(
            self.connection,
            self.by,
            did,
            f"case {self.case.case}",
            {**(detail or {}), **({"why": why} if why else {})},
            before=self.case.state,
        )


class CaseDesk(CaseStore):
    """Cases, as staff work on them. `ring` is called where the customer's runs are to be told."""

    @asynccontextmanager
    async def _work(
        self, case: str, by: str, *, over: bool = False, beside: str | None = None
    ) -> AsyncGenerator[CaseAtWork]:
        """Hold a case while somebody works on it; mind it before the transaction ends.

        `over`: also one that is over. `beside`: another that is held as well; two are locked in the order of
        their ids, so that nobody waits for one who waits for them.
        Raises: `UnknownCaseError`, `CaseAlreadyDecidedError`, `CaseClosedError`.
        """
        house = (await self._house.house()).queues
        by = clean_text(by)
        async with self._pool.connection() as connection:
            if beside is not None and beside < case:
                await lock_case(connection, beside)
            held = await (lock_case if over else held_case)(connection, case)
            member = await read_member(connection, by)
            now = await run_time(connection, case)
            work = CaseAtWork(connection, held, by, member, house, now)
            yield work
            minded = await mind(connection, await present_case(connection, case), house, now)
            if held.claimed_by is not None and minded.case.state != "claimed":
                await waiting_for(connection, held.claimed_by)
            work.after = minded.case
            work.tells_run = work.tells_run or minded.tells_run
        if work.after.state == "resolved":
            reach("case.after_decision")
        if work.tells_run:
            self._ring()

    async def claim(self, case: str, by: str) -> Case:
        """Take a case on; claiming one's own again changes nothing.

        Raises: `UnknownCaseError`, `CaseAlreadyClaimedError`, `CaseAlreadyDecidedError`,
        `CaseClosedError`.
        """
        async with self._work(case, by) as work:
            held = work.case
            if held.state in TAKEN and held.claimed_by != work.by:
                raise CaseAlreadyClaimedError(f"{held.claimed_by} has claimed this case")
            if held.state != "claimed":
                await self._take(work)
                await work.did("claimed")
        return work.after

    async def let_go(self, case: str, by: str, *, why: str = "") -> Case:
        """Put a case back into its queue. Raises: as `claim`, and `NotYoursError`."""
        async with self._work(case, by) as work:
            _own(work)
            await _untaken(work)
            await work.did("let go", why=why)
        return work.after

    async def hand_over(
        self, case: str, by: str, *, queue: str | None = None, to: str | None = None, note: str
    ) -> Case:
        """Pass a case on, to another queue or to somebody, with what they must know.

        Raises: as `claim`; `NotYoursError` where somebody else has it; `UnknownMemberError`.
        """
        async with self._work(case, by) as work:
            if work.case.state in TAKEN:
                _own(work)
            await _untaken(work)
            if queue is not None:
                await work.set(queue=clean_text(queue))
            if to is not None:
                await _present_member(work.connection, to)
                await self._take(work, clean_text(to))
            told: dict[str, JsonValue] = {"from": work.case.queue, "queue": queue, "to": to}
            await work.did("handed over", why=note, detail=told)
        return work.after

    async def snooze(
        self, case: str, by: str, *, until: datetime | None = None, event: str | None = None
    ) -> Case:
        """Put a case off until a moment, or until a touchpoint comes, whichever is first.

        Without a moment it comes back after a month. Raises: as `claim`, `NotYoursError`, `ValueError`.
        """
        async with self._work(case, by) as work:
            _own(work)
            wakes = until or work.now + timedelta(days=30)
            if wakes <= work.now:
                raise ValueError("until: that moment has passed")
            await work.set(
                state="snoozed", snoozed_until=wakes, snoozed_for=event, acted_at=work.now
            )
            told: dict[str, JsonValue] = {"until": wakes.isoformat(), "event": event}
            await work.did("snoozed", detail=told)
        return work.after

    async def wait_for_customer(self, case: str, by: str) -> Case:
        """The customer is to answer: deadlines stand still meanwhile. Raises: as `claim`, `NotYoursError`."""
        async with self._work(case, by) as work:
            _own(work)
            queue = queue_of(work.house, work.case.queue)
            wakes = read_span(queue.pending_for).after(work.now, queue.zone)
            await work.connection.execute(
                """
                update cases set state = 'pending', snoozed_until = %(wakes)s, waits_since = null,
                       acted_at = %(now)s, answered_at = coalesce(answered_at, %(now)s),
                       pauses = ended_pauses(pauses, %(now)s)
                                || jsonb_build_array(jsonb_build_object('since', %(now)s::timestamptz))
                 where "case" = %(case)s
                """,
                {"wakes": wakes, "now": work.now, "case": case},
            )
            await work.did("waits for the customer", detail={"until": wakes.isoformat()})
        return work.after

    async def go_on(self, case: str, by: str) -> Case:
        """Take up again what was put off. Raises: as `claim`, `NotYoursError`."""
        async with self._work(case, by) as work:
            _own(work)
            await self._take(work)
            await work.did("went on")
        return work.after

    async def note(self, case: str, by: str, text: str) -> Case:
        """Write down something for whoever works on it. Raises: `UnknownCaseError`."""
        async with self._work(case, by, over=True) as work:
            if work.case.claimed_by == work.by:
                await work.set(acted_at=work.now)
            await work.did("noted", why=text)
        return work.after

    async def verify(self, case: str, by: str, how: str) -> Case:
        """Somebody verified that whoever the case came from is the customer, by what. Raises: `UnknownCaseError`."""
        async with self._work(case, by, over=True) as work:
            await work.did("verified", why=how)
        return work.after

    async def decide(
        self,
        case: str,
        decision: str,
        fields: Mapping[str, JsonValue],
        *,
        by: str,
        authority: float | None = None,
        ask: str | None = None,
        note: str = "",
        feeling: str = "",
        lacked: str = "",
    ) -> Case:
        """Resolve a case and tell the customer's runs, in one transaction.

        `authority`: up to which amount may be decided here; of a member we know, what they may holds as well.
        `ask`: where it is more than they may, ask somebody who may, with these words; the case waits for it.
        Raises: `UnknownCaseError`, `UnknownDecisionError`, `WrongFieldError` naming the field,
        `AuthorityExceededError`, `CaseAlreadyDecidedError`, `CaseClosedError`, `CaseAlreadyClaimedError`.

        What was learned goes back: `note`, the customer's `feeling` as who decides read it, and what they `lacked`
        each become a touchpoint. Raises for it: `stores.feelings.UnknownFeelingError`.
        """
        async with self._work(case, by) as work:
            if work.member is not None and work.case.state in TAKEN:
                _own(work)
            checked = checked_decision(work.case.decisions, decision, fields, None)
            try:
                checked_decision(work.case.decisions, decision, fields, _limit(work, authority))
            except AuthorityExceededError as error:
                if ask is None:
                    raise
                await self._ask(work, decision, checked, ask, str(error))
            else:
                await self._resolve(work, decision, checked)
            learned = Learned(decision=decision, note=note, feeling=feeling, lacked=lacked)
            if await keep_learned(self._pool, self._house, work, learned):
                work.tells_run = True
        return work.after

    async def approve(
        self, case: str, by: str, *, why: str = "", authority: float | None = None
    ) -> Case:
        """Let a decision that was asked for be taken. Raises: `ApprovalRefusedError`, and as `decide`."""
        async with self._work(case, by) as work:
            asked = _asked(work)
            decision, fields = str(asked["decision"]), asked["fields"]
            assert isinstance(fields, dict)
            limit = _limit(work, authority)
            checked = checked_decision(work.case.decisions, decision, fields, limit)
            await work.did("approved", why=why, detail={"decision": decision, "of": asked["by"]})
            await self._resolve(work, decision, checked, decided_by=str(asked["by"]))
        return work.after

    async def disapprove(self, case: str, by: str, *, why: str) -> Case:
        """Refuse a decision that was asked for; who asked goes on. Raises: `ApprovalRefusedError`."""
        async with self._work(case, by) as work:
            asked = _asked(work)
            await work.set(approval=None)
            told: dict[str, JsonValue] = {"decision": asked["decision"], "of": asked["by"]}
            await work.did("disapproved", why=why, detail=told)
        return work.after

    async def reopen(self, case: str, by: str, *, why: str) -> Case:
        """Open a case again that is over. Raises: `UnknownCaseError`, `CaseClosedError` for one that is merged."""
        async with self._work(case, by, over=True) as work:
            if work.case.merged_into is not None:
                raise CaseClosedError(f"it was merged into {work.case.merged_into}")
            if work.case.state in ("resolved", "expired", "closed"):
                await reopen(work.connection, work.case.case, work.now)
                await work.did("reopened", why=why)
        return work.after

    async def merge(self, case: str, into: str, by: str) -> Case:
        """Close a case that is about the same as another of this customer; what happened to it moves there.

        Raises: `UnknownCaseError`, `CaseAlreadyDecidedError`, `CaseClosedError`, `ValueError`.
        """
        async with self._work(into, by, beside=case) as kept:
            merged = await held_case(kept.connection, case)
            if merged.case == into or merged.customer != kept.case.customer:
                raise ValueError("into: expected another case of the same customer")
            if merged.of_a_run:
                raise ValueError(
                    f"a journey waits for {merged.short_name}: merge the other one into it"
                )
            await kept.connection.execute(
                "update cases set state = 'closed', merged_into = %s, reason = %s, resolved_at = %s"
                ' where "case" = %s',
                [into, f"merged into {kept.case.short_name}", kept.now, case],
            )
            told: dict[str, JsonValue] = {"case": case, "brief": merged.brief}
            await happened(
                kept.connection, case, kept.now, kept.by, "merged", detail={"into": into}
            )
            await kept.did("took in", detail=told)
        return kept.after

    async def _own_or_take(self, work: CaseAtWork) -> None:
        """Whoever acts on a case that nobody has takes it. Raises: `NotYoursError`."""
        if work.case.state in TAKEN:
            _own(work)
        else:
            await self._take(work)

    async def _take(self, work: CaseAtWork, by: str | None = None) -> None:
        await work.connection.execute(
            """
            update cases set state = 'claimed', claimed_by = %(by)s, acted_at = %(now)s,
                   answered_at = coalesce(answered_at, %(now)s), snoozed_until = null,
                   snoozed_for = null, pauses = ended_pauses(pauses, %(now)s)
             where "case" = %(case)s
            """,
            {"by": by or work.by, "now": work.now, "case": work.case.case},
        )

    async def _ask(
        self,
        work: CaseAtWork,
        decision: str,
        fields: dict[str, JsonValue],
        words: str,
        why: str,
    ) -> None:
        if work.case.state in UNTAKEN:
            await self._take(work)
        asked: dict[str, JsonValue] = {
            "decision": decision, "fields": fields, "by": work.by, "words": words, "why": why,
            "at": work.now.isoformat(),
        }  # fmt: skip
        await work.set(approval=jsonb(asked), acted_at=work.now)
        await work.did(
            "asked for approval", why=words, detail={"decision": decision, "fields": fields}
        )

    async def _resolve(
        self,
        work: CaseAtWork,
        decision: str,
        fields: dict[str, JsonValue],
        decided_by: str | None = None,
    ) -> None:
        held, by, now = work.case, decided_by or work.by, work.now
        await work.connection.execute(
            """
            update cases set state = 'resolved', decision = %(decision)s, fields = %(fields)s,
                   decided_by = %(by)s, answered_at = coalesce(answered_at, %(now)s),
                   resolved_at = %(now)s, claimed_by = coalesce(claimed_by, %(by)s),
                   approval = null, waits_since = null, snoozed_until = null,
                   pauses = ended_pauses(pauses, %(now)s)
             where "case" = %(case)s
            """,
            {
                "decision": decision,
                "fields": jsonb(fields),
                "by": by,
                "now": now,
                "case": held.case,
            },
        )
        properties: dict[str, JsonValue] = {
            "case": held.case, "decision": decision, "fields": fields, "by": by,
        }  # fmt: skip
        if work.by != by:
            properties["approved_by"] = work.by
        told = NewTouchpoint(
            # What is decided again, after it was opened again, is told again.
            message_id=f"decision/{held.case}"
            if held.reopened_at is None
            else message_id("decision", f"{held.case}/{held.reopened_at.isoformat()}"),
            event=CASE_DECIDED,
            occurred_at=now,
            customer=held.customer,
            properties=properties,
            routed=held.of_a_run,
        )
        await store_touchpoints(work.connection, [told])
        await happened(
            work.connection,
            held.case,
            now,
            work.by,
            f"decided {decision}",
            detail={"fields": fields},
        )
        await record_deed(
            work.connection,
            work.by,
            f"decided {decision}",
            f"case {held.case}",
            before=held.state,
            after=fields,
        )
        work.tells_run = held.of_a_run


def _own(work: CaseAtWork) -> None:
    """Whoever leads may do it for somebody else too. Raises: `NotYoursError`."""
    held = work.case
    if held.state not in TAKEN:
        raise NotYoursError("nobody has claimed this case; claim it first")
    leads = work.member is not None and work.member.role in ("lead", "admin")
    if held.claimed_by != work.by and not leads:
        raise NotYoursError(f"{held.claimed_by} has claimed this case")


async def _untaken(work: CaseAtWork) -> None:
    await work.connection.execute(
        """
        update cases set state = case when reopened_at is null then 'open' else 'reopened' end,
               claimed_by = null, snoozed_until = null, snoozed_for = null, approval = null,
               pauses = ended_pauses(pauses, %s)
         where "case" = %s
        """,
        [work.now, work.case.case],
    )


async def _present_member(connection: Connection, member: str) -> None:
    found = await read_member(connection, member)
    if found is None or found.left_at is not None:
        raise UnknownMemberError(f"there is no member {member!r}")


def _limit(work: CaseAtWork, authority: float | None) -> float | None:
    """Up to which amount may be decided: the lesser of what the door says and what the member may."""
    own = work.member.authority(work.house) if work.member is not None else None
    limits = [each for each in (authority, own) if each is not None]
    return min(limits, default=None)


def _asked(work: CaseAtWork) -> dict[str, JsonValue]:
    asked = work.case.approval
    if asked is None:
        raise ApprovalRefusedError("nothing was asked for on this case")
    if asked["by"] == work.by:
        raise ApprovalRefusedError("it was you who asked; somebody else must say yes or no")
    return asked
