"""Members of staff: what they are, what they can, when they are away."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString, cast

from pydantic import JsonValue

from journey.member import MemberFile
from journey.opening_hours import OpeningHours
from journey.presence import Presence
from journey.queues import Queue, QueuesFile, queue_calendar
from journey.staff_events import STAFF_IDENTITY
from journey.staff_roles import LEADING_ROLES, WORKING_ROLES, MemberRole
from stores.audit import record_deed
from stores.case_rows import RUNG_AGAIN, Case
from stores.customers import CustomerStore
from stores.database import Connection, Pool, clean_text, jsonb, one_statement
from stores.staff_signed_out import forget_second_factor

_COLUMNS: LiteralString = """
    member, name, role, queues, skills, languages, capacity, grants, zone, shift, email, subject,
    slack, created_at, left_at
"""


class UnknownMemberError(LookupError):
    """There is no such member of staff."""


class TakenError(ValueError):
    """Another member has this address or this name at the provider; the message says which."""


@dataclass(slots=True, frozen=True, kw_only=True)
class Member:
    """One member of staff. `grants`: up to which amount they decide, where it is not as their role goes."""

    member: str
    name: str
    role: MemberRole
    queues: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    capacity: int = 8
    grants: float | None = None
    zone: str = "UTC"
    shift: OpeningHours | None = None
    email: str | None = None
    subject: str | None = None
    slack: str | None = None
    created_at: datetime | None = None
    left_at: datetime | None = None

    def authority(self, house: QueuesFile | None) -> float | None:
        """Up to which amount they may decide; None is without limit."""
        if self.grants is not None or house is None or house.grants is None:
            return self.grants
        return house.grants.of(self.role)

    @property
    def works(self) -> bool:
        """Whether they work on cases; others only read."""
        return self.role in WORKING_ROLES and self.left_at is None

    @property
    def leads(self) -> bool:
        """Whether they approve, and may act for others."""
        return self.role in LEADING_ROLES

    def sees(self, case: Case) -> bool:
        """Whether a case is for their eyes: one of their queues, or one that is in their hands."""
        return self.role == "admin" or case.queue in self.queues or case.claimed_by == self.member

    def presence(
        self, queue: Queue, absences: Sequence[tuple[datetime, datetime]] = ()
    ) -> Presence:
        """When they are at work for a queue: in their own hours, else in the queue's."""
        shift = self.shift.calendar(self.zone) if self.shift else queue_calendar(queue)
        return Presence(shift=shift, absences=absences)


@dataclass(slots=True, frozen=True, kw_only=True)
class Absence:
    """From when until when somebody is away, and why."""

    absence: int
    member: str
    since: datetime
    until: datetime
    why: str


async def employee_of(
    pool: Pool, connection: Connection, by: str, member: Member | None = None
) -> str:
    """The customer that a member of staff is, where a journey is theirs; made where there is none yet."""
    customers = CustomerStore(pool)
    customer = await customers.resolve(connection, [(STAFF_IDENTITY, by)])
    traits: dict[str, JsonValue] = {"kind": "employee", "member": by}
    if member is not None:
        traits["first_name"] = next(iter(member.name.split()), member.name)
        traits["zone"] = member.zone
        if member.email is not None:
            traits["email"] = member.email
    await customers.merge_traits(connection, customer, traits)
    return customer


class MemberStore:
    """Members of staff."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def put(self, member: Member, *, by: str) -> None:
        """Add a member, or change one. Raises: `TakenError`."""
        row = _row(member)
        async with self._pool.connection() as connection:
            await _refuse_taken(connection, member)
            await connection.execute(
                """
                insert into members (member, name, role, queues, skills, languages, capacity,
                                     grants, zone, shift, email, subject, slack)
                values (%(member)s, %(name)s, %(role)s, %(queues)s, %(skills)s, %(languages)s,
                        %(capacity)s, %(grants)s, %(zone)s, %(shift)s, %(email)s, %(subject)s,
                        %(slack)s)
                on conflict (member) do update set
                       name = excluded.name, role = excluded.role, queues = excluded.queues,
                       skills = excluded.skills, languages = excluded.languages,
                       capacity = excluded.capacity, grants = excluded.grants,
                       zone = excluded.zone, shift = excluded.shift, email = excluded.email,
                       subject = excluded.subject, slack = excluded.slack, left_at = null
                """,
                row,
            )
            await employee_of(self._pool, connection, row["member"], member)
            told: dict[str, JsonValue] = {"role": member.role, "queues": list(member.queues)}
            await record_deed(connection, by, "set", f"member {row['member']}", told)

    async def leave(self, member: str, *, by: str) -> None:
        """They work here no more; what they did stays. Raises: `UnknownMemberError`."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "update members set left_at = now(), password = null, subject = null"
                " where member = %s and left_at is null",
                [clean_text(member)],
            )
            if not cursor.rowcount:
                raise UnknownMemberError(f"there is no member {member!r}")
            await forget_second_factor(connection, clean_text(member))
            await _ring_theirs(connection, member)
            await record_deed(connection, by, "let go", f"member {clean_text(member)}")

    async def member(self, member: str) -> Member | None:
        """One member, also one who has left."""
        async with one_statement(self._pool) as connection:
            return await read_member(connection, member)

    async def of_slack(self, slack: str) -> Member | None:
        """The member with this id in Slack, also one who has left."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                f"select {_COLUMNS} from members where slack = %s", [clean_text(slack)]
            )
            row = await cursor.fetchone()
        return member_of(row) if row else None

    async def of_email(self, email: str) -> Member | None:
        """The member with this address, in letters of any case; also one who has left."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                f"select {_COLUMNS} from members where lower(email) = lower(%s)",
                [clean_text(email)],
            )
            row = await cursor.fetchone()
        return member_of(row) if row else None

    async def members(self, queue: str | None = None) -> list[Member]:
        """Who works here, of one queue where it is given."""
        async with one_statement(self._pool) as connection:
            return await working_members(connection, queue)

    async def absent(
        self, member: str, since: datetime, until: datetime, why: str, *, by: str
    ) -> int:
        """They are away from when until when; its number. Raises: `UnknownMemberError`."""
        async with self._pool.connection() as connection:
            if await read_member(connection, member) is None:
                raise UnknownMemberError(f"there is no member {member!r}")
            cursor = await connection.execute(
                "insert into absences (member, since, until, why) values (%s, %s, %s, %s)"
                " returning absence",
                [clean_text(member), since, until, clean_text(why)],
            )
            row = await cursor.fetchone()
            assert row is not None
            await _ring_theirs(connection, member)
            told: dict[str, JsonValue] = {"since": since.isoformat(), "until": until.isoformat()}
            await record_deed(connection, by, "noted absent", f"member {clean_text(member)}", told)
        return row["absence"]

    async def back(self, absence: int, *, by: str) -> bool:
        """An absence is taken back; whether it was there."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "delete from absences where absence = %s returning member", [absence]
            )
            row = await cursor.fetchone()
            if row is not None:
                await _ring_theirs(connection, row["member"])
                await record_deed(connection, by, "noted back", f"member {row['member']}")
        return row is not None

    async def absences(self, member: str | None = None) -> list[Absence]:
        """Absences that are not over, of one member where it is given."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                "select absence, member, since, until, why from absences"
                " where until > now() and (%(member)s::text is null or member = %(member)s)"
                " order by since",
                {"member": member},
            )
            return [Absence(**row) for row in await cursor.fetchall()]


async def read_member(connection: Connection, member: str) -> Member | None:
    """One member, also one who has left."""
    cursor = await connection.execute(
        f"select {_COLUMNS} from members where member = %s", [clean_text(member)]
    )
    row = await cursor.fetchone()
    return member_of(row) if row else None


async def working_members(connection: Connection, queue: str | None = None) -> list[Member]:
    """Who works here, of one queue where it is given."""
    cursor = await connection.execute(
        f"select {_COLUMNS} from members where left_at is null"
        " and (%(queue)s::text is null or queues @> array[%(queue)s]) order by member",
        {"queue": queue},
    )
    return [member_of(row) for row in await cursor.fetchall()]


def member_written(read: MemberFile) -> Member:
    """The member that somebody wrote down."""
    lists = {name: tuple(getattr(read, name)) for name in ("queues", "skills", "languages")}
    values: dict[str, Any] = {name: getattr(read, name) for name in MemberFile.model_fields}
    values |= lists
    return Member(**values)


def member_of(row: Mapping[str, Any]) -> Member:
    """The member in a row."""
    shift = row["shift"]
    lists = {name: tuple(row[name]) for name in ("queues", "skills", "languages")}
    read: dict[str, Any] = {
        **row,
        **lists,
        "role": cast("MemberRole", row["role"]),
        "shift": OpeningHours.model_validate(shift, strict=False) if shift else None,
    }
    return Member(**read)


async def absences_of(
    connection: Connection, members: Sequence[str], after: datetime
) -> dict[str, list[tuple[datetime, datetime]]]:
    """When these members are away, as far as it is not over, in order."""
    cursor = await connection.execute(
        "select member, since, until from absences where member = any(%s) and until > %s"
        " order by since",
        [list(members), after],
    )
    found: dict[str, list[tuple[datetime, datetime]]] = {}
    for row in await cursor.fetchall():
        found.setdefault(row["member"], []).append((row["since"], row["until"]))
    return found


async def _ring_theirs(connection: Connection, member: str) -> None:
    """Their cases are looked at again, and what waits in their queues."""
    await connection.execute(
        f"""
        insert into case_bells ("case")
        select c."case" from cases c join members m on m.member = %s
         where c.under_way and (c.claimed_by = m.member and c.state in ('claimed', 'snoozed', 'pending')
            or c.queue = any(m.queues) and c.state in ('open', 'reopened'))
         order by 1
        {RUNG_AGAIN}
        """,
        [clean_text(member)],
    )


async def _refuse_taken(connection: Connection, member: Member) -> None:
    cursor = await connection.execute(
        """
        select member from members
         where member <> %(member)s and (lower(email) = lower(%(email)s) or subject = %(subject)s
                                         or slack = %(slack)s)
        """,
        _row(member),
    )
    row = await cursor.fetchone()
    if row is not None:
        raise TakenError(f"{row['member']} has this address or name outside already")


def _row(member: Member) -> dict[str, Any]:
    shift = member.shift.model_dump(mode="json") if member.shift else None
    return {
        "member": clean_text(member.member),
        "name": clean_text(member.name),
        "role": member.role,
        "queues": list(member.queues),
        "skills": list(member.skills),
        "languages": list(member.languages),
        "capacity": member.capacity,
        "grants": member.grants,
        "zone": member.zone,
        "shift": jsonb(shift) if shift else None,
        "email": member.email,
        "subject": member.subject,
        "slack": member.slack,
    }
