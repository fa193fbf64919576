"""Mails to members of staff about cases, and what they answered: each once."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, LiteralString

from pydantic import JsonValue

from journey.effects import OfferedDecision
from stores.case_events import SETTLED_SECONDS
from stores.case_rows import RUNS_OUT
from stores.database import Pool, clean_text, one_statement

HELD_SECONDS = 60
AT_ONCE = 200
MOST_ANSWERS_AN_HOUR = 20
"""To one member: two robots that answer each other end here."""

# Whom an event concerns: to whom a case was given by somebody else, and who leads where approval is asked for.
_SPREAD: LiteralString = """
insert into staff_mails (about, member, "case", kind)
select 'event/' || e.event, m.member, e."case",
       case when e.did = 'asked for approval' then 'asked' else 'given' end
  from case_events e
  join cases c using ("case")
  join members m on e.did in ('given', 'handed over') and m.member = e.detail ->> 'to'
                 or e.did = 'asked for approval' and m.role in ('lead', 'admin')
                    and c.queue = any(m.queues)
 where e.event > %(from)s and e.event <= %(to)s
   and m.member <> e.who and m.email is not null and m.left_at is null
on conflict do nothing
"""

_UPTO: LiteralString = """
select coalesce(max(event), 0) as event from (
    select event from case_events
     where event > %(from)s and at_wall < clock_timestamp() - %(settled)s * interval '1 second'
     order by event limit %(most)s) next
"""

# What a worker that died had under way may have left: it goes not again, and is told as unknown.
_IN_DOUBT: LiteralString = """
update staff_mails set state = 'unknown', why = 'whoever sent it died over it'
 where state = 'leaving' and held_to < clock_timestamp()
"""

_HOLD: LiteralString = """
update staff_mails set state = 'leaving', attempts = attempts + 1,
       held_to = clock_timestamp() + %(held)s * interval '1 second'
 where mail = (select mail from staff_mails where state = 'waiting' and next_at <= clock_timestamp()
                order by next_at, mail limit 1 for update skip locked)
returning mail
"""

_WHOLE: LiteralString = f"""
select s.mail, s.about, s.kind, s.words, s.attempts, m.member, m.name, m.email, m.zone, m.left_at,
       c."case", c.entry, c.n, c.title, c.brief, c.decisions, c.state, c.claimed_by, c.approval,
       {RUNS_OUT} as due,
       e.who, e.why as said
  from staff_mails s
  join members m using (member)
  join cases c using ("case")
  left join case_events e on s.about = 'event/' || e.event and e."case" = s."case"
 where s.mail = %s
"""


@dataclass(slots=True, frozen=True, kw_only=True)
class StaffMail:
    """A mail that is to leave now. `who` and `said`: who did what it is about, and in which words."""

    mail: int
    about: str
    kind: str
    words: str
    attempts: int
    member: str
    name: str
    email: str | None
    zone: str
    left_at: datetime | None
    case: str
    entry: int
    n: int
    title: str
    brief: str
    decisions: dict[str, OfferedDecision]
    state: str
    claimed_by: str | None
    approval: dict[str, JsonValue] | None
    due: datetime | None
    who: str | None
    said: str | None


class StaffMailStore:
    """Mails to staff. A mail that may have left is never sent again."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def spread(self) -> bool:
        """Find whom the next events concern, and note a mail to each, in one transaction; whether there were any."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "select told_to from staff_mail_cursor for update skip locked"
            )
            row = await cursor.fetchone()
            if row is None:
                return False
            told: dict[str, Any] = {
                "from": row["told_to"], "settled": SETTLED_SECONDS, "most": AT_ONCE,
            }  # fmt: skip
            upto = await (await connection.execute(_UPTO, told)).fetchone()
            if upto is None or not upto["event"]:
                return False
            await connection.execute(_SPREAD, {**told, "to": upto["event"]})
            await connection.execute("update staff_mail_cursor set told_to = %s", [upto["event"]])
        return True

    async def answer(self, reply: str, member: str, case: str, words: str) -> None:
        """Note an answer to a mail of theirs, once for each; not more in an hour than anybody reads."""
        async with one_statement(self._pool) as connection:
            await connection.execute(
                """
                insert into staff_mails (about, member, "case", kind, words)
                select %(about)s, %(member)s, %(case)s, 'answer', %(words)s
                 where (select count(*) from staff_mails where member = %(member)s and kind = 'answer'
                           and made_at > clock_timestamp() - interval '1 hour') < %(most)s
                on conflict do nothing
                """,
                {
                    "about": f"answer/{reply}", "member": member, "case": case,
                    "words": clean_text(words), "most": MOST_ANSWERS_AN_HOUR,
                },
            )  # fmt: skip

    async def hold(self) -> StaffMail | None:
        """A mail that is to leave now: from here on it has left, unless `again` says otherwise."""
        async with self._pool.connection() as connection:
            await connection.execute(_IN_DOUBT)
            cursor = await connection.execute(_HOLD, {"held": HELD_SECONDS})
            row = await cursor.fetchone()
            if row is None:
                return None
            whole = await (await connection.execute(_WHOLE, [row["mail"]])).fetchone()
            if whole is None:  # the case was erased meanwhile
                await connection.execute("delete from staff_mails where mail = %s", [row["mail"]])
                return None
        offered = {name: OfferedDecision(**each) for name, each in whole["decisions"].items()}
        values: dict[str, Any] = {**whole, "decisions": offered}
        return StaffMail(**values)

    async def settled(self, mail: int, state: str, why: str = "") -> None:
        """What became of it: `sent`, `unknown` or `refused`."""
        await self._set(mail, state, why, timedelta(0))

    async def again(self, mail: int, why: str, pause: timedelta) -> None:
        """It surely did not leave: it is tried again after this pause."""
        await self._set(mail, "waiting", why, pause)

    async def _set(self, mail: int, state: str, why: str, pause: timedelta) -> None:
        async with one_statement(self._pool) as connection:
            await connection.execute(
                "update staff_mails set state = %s, why = %s, held_to = null,"
                " next_at = clock_timestamp() + %s where mail = %s and state = 'leaving'",
                [state, clean_text(why)[:500], pause, mail],
            )

    @asynccontextmanager
    async def answered(self, reply: str, member: str, case: str) -> AsyncGenerator[int | None]:
        """Hold a mail of theirs while it is obeyed; how many of its orders were done before, None: all."""
        async with self._pool.connection() as connection:
            await connection.execute(
                "select pg_advisory_xact_lock(hashtextextended('staff reply ' || %s, 0))", [reply]
            )
            yield await self._begun(reply, member, case)

    async def _begun(self, reply: str, member: str, case: str) -> int | None:
        async with self._pool.connection() as connection:
            await connection.execute(
                'insert into staff_replies (reply, member, "case") values (%s, %s, %s)'
                " on conflict do nothing",
                [reply, member, case],
            )
            cursor = await connection.execute(
                "select done from staff_replies where reply = %s", [reply]
            )
            row = await cursor.fetchone()
        return None if row is None or row["done"] < 0 else row["done"]

    async def obeyed(self, reply: str, done: int | None) -> None:
        """So many of its orders were done; None: that was all."""
        async with one_statement(self._pool) as connection:
            await connection.execute(
                "update staff_replies set done = %s where reply = %s",
                [-1 if done is None else done, reply],
            )
