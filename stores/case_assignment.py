"""Giving a case to somebody: who is there, what they have, whose turn it is."""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString

from journey.assignment import Candidate, chosen
from journey.queues import Queue
from stores.case_rows import DUE, RUNG_AGAIN, Case
from stores.database import Connection
from stores.members import Member, absences_of, working_members

_LOAD: LiteralString = """
select m.member,
       (select count(*) from cases c where c.claimed_by = m.member and c.under_way
                                      and c.state = 'claimed') as load,
       (select turned_at from queue_turns t where t.queue = %(queue)s and t.member = m.member)
           as turned_at,
       (select max(coalesce(k.resolved_at, k.acted_at, k.answered_at)) from cases k
         where k.customer = %(customer)s and k.claimed_by = m.member and k."case" <> %(case)s)
           as knew_at
  from unnest(%(members)s::text[]) m(member)
"""


async def assign(connection: Connection, case: Case, queue: Queue, now: datetime) -> str | None:
    """Give it to whoever the queue's way says; None where nobody can have it now.

    Cases of one queue are given one after another, so that turns and loads are as they are.
    """
    await connection.execute(
        "select pg_advisory_xact_lock(hashtextextended('queue ' || %s, 0))", [queue.queue]
    )
    there = await _there(connection, queue, now)
    member = chosen(
        queue.assign,
        await _candidates(connection, case, queue, there),
        skills=frozenset(queue.skills) | frozenset(case.skills),
        language=case.language,
        passed_over=frozenset(await _had_by(connection, case)),
    )
    if member is None:
        return None
    await connection.execute(
        """
        update cases set state = 'claimed', claimed_by = %s, acted_at = %s where "case" = %s
        """,
        [member, now, case.case],
    )
    await connection.execute(
        "insert into queue_turns (queue, member, turned_at) values (%s, %s, clock_timestamp())"
        " on conflict (queue, member) do update set turned_at = excluded.turned_at",
        [queue.queue, member],
    )
    return member


async def there_from(connection: Connection, queue: Queue, now: datetime) -> datetime | None:
    """When somebody of a queue comes to work next, after this moment; None where nobody is known to."""
    members = await working_members(connection, queue.queue)
    away = await absences_of(connection, [each.member for each in members], now)
    coming: list[datetime] = []
    for member in members:
        presence = member.presence(queue, away.get(member.member, []))
        if presence.is_there(now):
            continue  # whoever is there and has no room is looked at again when they have
        comes = presence.there_from(now)
        if comes is not None and comes > now:
            coming.append(comes)
    return min(coming, default=None)


async def waiting_for(connection: Connection, member: str) -> None:
    """Somebody has room again: what waits longest in each of their queues is looked at again."""
    await connection.execute(
        f"""
        insert into case_bells ("case")
        select c."case" from members m cross join unnest(m.queues) q(queue) cross join lateral
               (select "case" from cases where queue = q.queue and under_way and state in ('open', 'reopened')
                 order by {DUE}, opened_wall limit 1) c
         where m.member = %s order by 1
        {RUNG_AGAIN}
        """,
        [member],
    )


async def _there(connection: Connection, queue: Queue, now: datetime) -> list[Member]:
    members = await working_members(connection, queue.queue)
    away = await absences_of(connection, [each.member for each in members], now)
    return [
        each for each in members if each.presence(queue, away.get(each.member, [])).is_there(now)
    ]


async def _candidates(
    connection: Connection, case: Case, queue: Queue, there: Sequence[Member]
) -> list[Candidate]:
    names = [each.member for each in there]
    asked = {"queue": queue.queue, "customer": case.customer, "case": case.case, "members": names}
    cursor = await connection.execute(_LOAD, asked)
    known = {row["member"]: row for row in await cursor.fetchall()}
    return [
        Candidate(
            member=each.member,
            skills=frozenset(each.skills),
            languages=frozenset(each.languages),
            load=known[each.member]["load"],
            room=each.capacity,
            turned_at=known[each.member]["turned_at"],
            knew_at=known[each.member]["knew_at"],
        )
        for each in there
    ]


async def _had_by(connection: Connection, case: Case) -> list[str]:
    cursor = await connection.execute('select had_by from cases where "case" = %s', [case.case])
    row = await cursor.fetchone()
    return row["had_by"] if row else []
