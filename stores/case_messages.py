"""Messages that staff write to customers from a case: written down, undone in time, sent once, and answered for."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString

from pydantic import JsonValue

from activities.case_messages import CaseLetter
from activities.message_channel import Attachment
from contracts.ids import effect_key
from contracts.message_delivery import MessageDelivered
from stores.case_desk import CaseAtWork, CaseDesk
from stores.case_minding import mind
from stores.case_rows import BY_CLEW, happened, lock_case, present_case, run_clock, run_time
from stores.database import Connection, clean_text, jsonb, one_statement

UNDO_WITHIN = timedelta(seconds=10)
"""So long after it was written a message can be undone, and leaves not."""

LOOKED_AT_AGAIN = timedelta(minutes=5)
"""A message that a stop holds back is asked for again after so long."""

LONGEST_TEXT = 50_000
LONGEST_SUBJECT = 500
MOST_FILES = 10
MOST_FILE_BYTES = 10_000_000
MOST_ALL_FILES_BYTES = 20_000_000

_COLUMNS: LiteralString = """
    message, "case", channel, template, "values", subject, text, by, written_at, due_at, state,
    delivery, went_by, reason, words, settled_at,
    (select coalesce(jsonb_agg(jsonb_build_object('n', f.n, 'name', f.name, 'media_type', f.media_type,
            'bytes', length(f.content)) order by f.n), '[]')
       from case_message_files f where f.message = m.message) as files
"""

_WRITE: LiteralString = """
insert into case_messages ("case", channel, template, "values", subject, text, by, once, written_at, due_at)
values (%(case)s, %(channel)s, %(template)s, %(values)s, %(subject)s, %(text)s, %(by)s, %(once)s,
        %(written_at)s, %(due_at)s)
returning message
"""

# A case that nobody gave a workflow has one from its first message on: it is who sends.
_CLOCKED: LiteralString = """
update cases set acted_at = %(now)s, clock = coalesce(clock, 'case/' || gen_random_uuid())
 where "case" = %(case)s
"""

_TAKE: LiteralString = """
update case_messages set state = 'leaving'
 where message = %(message)s and state in ('waiting', 'leaving') and due_at <= clock_timestamp()
returning "case", channel, template, "values", subject, text, by, written_at, delivery
"""

_WROTE_SINCE: LiteralString = """
update cases set answered_at = coalesce(answered_at, %(now)s), acted_at = %(now)s,
       waits_since = case when waits_since > %(written_at)s then waits_since end
 where "case" = %(case)s
"""


class UnknownMessageError(LookupError):
    """The case has no such message, or nobody published this template."""


class TooLateError(Exception):
    """The message cannot be undone any more; the message says why."""


@dataclass(slots=True, frozen=True, kw_only=True)
class Letter:
    """What a member of staff writes: free text, or a published message with what it names.

    `channel` None: by which the customer is reached best. `once`: the writer's own word for it.
    """

    channel: str | None = None
    template: str | None = None
    values: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    subject: str = ""
    text: str = ""
    files: Sequence[Attachment] = ()
    once: str | None = None

    def __post_init__(self) -> None:
        if self.template is None and not self.text.strip():
            raise ValueError("text: is missing; write something, or name a template")
        if self.template is not None and self.text:
            raise ValueError("text: a template has its own; leave one of them out")
        if len(self.text) > LONGEST_TEXT or len(self.subject) > LONGEST_SUBJECT:
            raise ValueError(
                f"text: {LONGEST_TEXT} characters at most, and {LONGEST_SUBJECT} in the subject"
            )
        sizes = [len(file.content) for file in self.files]
        if len(sizes) > MOST_FILES or sum(sizes) > MOST_ALL_FILES_BYTES:
            raise ValueError(
                f"files: {MOST_FILES} and {MOST_ALL_FILES_BYTES // 1_000_000} MB at most"
            )
        if any(size > MOST_FILE_BYTES for size in sizes):
            raise ValueError(f"files: {MOST_FILE_BYTES // 1_000_000} MB at most in each")


@dataclass(slots=True, frozen=True, kw_only=True)
class CaseMessage:
    """One message. `written_at` is the run's own time, the others are wall time.

    `state`: `waiting` until `due_at`, `leaving`, then `undone`, `sent`, `refused` (`reason` says why), or
    `unknown`: nobody can tell whether it left. `delivery`: its key in the ledger. `went_by`: the channel.
    """

    message: int
    case: str
    channel: str | None
    template: str | None
    values: dict[str, JsonValue]
    subject: str
    text: str
    by: str
    written_at: datetime
    due_at: datetime
    state: str
    delivery: str
    went_by: str | None
    reason: str
    words: str
    settled_at: datetime | None
    files: list[dict[str, JsonValue]]


class CaseWriter(CaseDesk):
    """Where staff write from a case, and where its workflow learns what is to be sent."""

    async def write(self, case: str, by: str, letter: Letter) -> CaseMessage:
        """Write to the customer; it leaves in ten seconds unless it is undone.

        Whoever writes from a case that nobody has takes it. Written again with the same `once`, it is the
        first one. Raises: as `claim`, `NotYoursError`, `UnknownMessageError` for a template.
        """
        async with self._work(case, by) as work:
            known = await _before(work.connection, work.case.case, letter.once)
            if known is not None:
                return known
            await self._own_or_take(work)
            await _refuse_unknown(work.connection, letter.template)
            message = await _written(work, letter)
            told: dict[str, JsonValue] = {
                "message": message, "channel": letter.channel, "template": letter.template,
                "files": len(letter.files),
            }  # fmt: skip
            await work.did("wrote to the customer", detail=told)
            return await _present(work.connection, work.case.case, message)

    async def undo(self, case: str, message: int, by: str) -> CaseMessage:
        """Take a message back that has not left; undone again changes nothing.

        Raises: `UnknownCaseError`, `UnknownMessageError`, `TooLateError`.
        """
        async with self._work(case, by, over=True) as work:
            cursor = await work.connection.execute(
                "update case_messages set state = 'undone', settled_at = clock_timestamp()"
                " where \"case\" = %s and message = %s and state = 'waiting' returning message",
                [work.case.case, message],
            )
            undone = await cursor.fetchone() is not None
            found = await _present(work.connection, work.case.case, message)
            if not undone and found.state != "undone":
                raise TooLateError(f"it is {found.state} already")
            if undone:
                await work.did("undid a message", detail={"message": message})
        return found

    async def answered_in_public(self, case: str, by: str, *, link: str, words: str = "") -> None:
        """Write down that the customer was answered where they spoke, by hand: an answer like any other.

        Raises: as `write`.
        """
        async with self._work(case, by) as work:
            await self._own_or_take(work)
            await work.connection.execute(
                _WROTE_SINCE, {"case": work.case.case, "now": work.now, "written_at": work.now}
            )
            await work.did("answered in public", why=words, detail={"link": link})

    async def messages(self, case: str) -> list[CaseMessage]:
        """What was written from a case, the oldest first."""
        async with one_statement(self._pool) as connection:
            cursor = await connection.execute(
                f'select {_COLUMNS} from case_messages m where "case" = %s order by message',
                [clean_text(case)],
            )
            return [CaseMessage(**row) for row in await cursor.fetchall()]

    async def file(self, message: int, n: int) -> Attachment | None:
        """One file of a message, counted from 1."""
        async with one_statement(self._pool) as connection:
            return next((f for f in await _files(connection, message, n)), None)

    async def take(self, message: int) -> CaseLetter | None:
        """A message that is due, so that nobody can undo it any more; None where it was undone, or settled."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(_TAKE, {"message": message})
            row = await cursor.fetchone()
            if row is None:
                return None
            held = await present_case(connection, row["case"])
            files = await _files(connection, message)
            name = await _name_of(connection, row["by"])
            clock, wall = await run_clock(connection, held.case), datetime.now(UTC)
            now = clock.now(wall) if clock else wall
        return CaseLetter(
            message=message, case=held.case, short_name=held.short_name, title=held.title,
            customer=held.customer, key=row["delivery"], channel=row["channel"],
            template=row["template"], values=row["values"], subject=row["subject"],
            text=row["text"], by=name, files=tuple(files), now=now, clock=clock,
        )  # fmt: skip

    async def settle(self, message: int, told: MessageDelivered) -> str:
        """Write down what became of a message: on the message, on the case, and in its thread, once."""
        house = (await self._house.house()).queues
        async with self._settling(message) as (connection, row):
            if row is None:
                return "gone"
            if row["state"] != "leaving":
                return str(row["state"])
            state = _STATES[told.state]
            await connection.execute(
                """
                update case_messages set state = %(state)s, went_by = %(channel)s,
                       reason = %(reason)s, words = %(words)s,
                       due_at = case when %(state)s = 'waiting' then %(again)s else due_at end,
                       settled_at = case when %(state)s <> 'waiting' then clock_timestamp() end
                 where message = %(message)s
                """,
                {
                    "message": message, "state": state, "channel": told.channel,
                    "reason": clean_text(told.reason), "words": clean_text(told.words),
                    "again": datetime.now(UTC) + LOOKED_AT_AGAIN,
                },
            )  # fmt: skip
            case, now = row["case"], await run_time(connection, row["case"])
            if state == "sent":
                values = {"case": case, "now": now, "written_at": row["written_at"]}
                await connection.execute(_WROTE_SINCE, values)
            detail: dict[str, JsonValue] = {
                "message": message, "channel": told.channel, "reason": told.reason,
            }  # fmt: skip
            why = told.words or told.reason
            await happened(connection, case, now, BY_CLEW, _DID[state], why=why, detail=detail)
            minded = await mind(connection, await present_case(connection, case), house, now)
        if minded.tells_run:
            self._ring()
        return state

    @asynccontextmanager
    async def _settling(
        self, message: int
    ) -> AsyncGenerator[tuple[Connection, dict[str, Any] | None]]:
        """The message and its case, locked in the order in which staff lock them."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                'select "case" from case_messages where message = %s', [message]
            )
            row = await cursor.fetchone()
            if row is not None:
                await lock_case(connection, row["case"])
                cursor = await connection.execute(
                    'select "case", state, written_at from case_messages where message = %s'
                    " for update",
                    [message],
                )
                row = await cursor.fetchone()
            yield connection, row


_STATES = {"accepted": "sent", "refused": "refused", "unknown": "unknown", "deferred": "waiting"}
_DID = {
    "sent": "sent",
    "refused": "not sent",
    "unknown": "perhaps not sent",
    "waiting": "held back",
}


async def _before(connection: Connection, case: str, once: str | None) -> CaseMessage | None:
    if once is None:
        return None
    cursor = await connection.execute(
        f'select {_COLUMNS} from case_messages m where "case" = %s and once = %s',
        [case, clean_text(once)],
    )
    row = await cursor.fetchone()
    return CaseMessage(**row) if row else None


async def _written(work: CaseAtWork, letter: Letter) -> int:
    case, connection = work.case.case, work.connection
    cursor = await connection.execute(
        _WRITE,
        {
            "case": case, "channel": letter.channel, "template": letter.template,
            "values": jsonb(dict(letter.values)), "subject": clean_text(letter.subject),
            "text": clean_text(letter.text), "by": work.by,
            "once": clean_text(letter.once) if letter.once is not None else None,
            "written_at": work.now, "due_at": datetime.now(UTC) + UNDO_WITHIN,
        },
    )  # fmt: skip
    row = await cursor.fetchone()
    assert row is not None
    message: int = row["message"]
    # No run has entry 0: the address for answers, which names entry and n, leads to the case by itself.
    await connection.execute(
        "update case_messages set delivery = %s where message = %s",
        [effect_key(case, 0, message), message],
    )
    for n, file in enumerate(letter.files, 1):
        await connection.execute(
            "insert into case_message_files (message, n, name, media_type, content)"
            " values (%s, %s, %s, %s, %s)",
            [message, n, clean_text(file.name), clean_text(file.media_type), file.content],
        )
    await connection.execute(_CLOCKED, {"case": case, "now": work.now})
    return message


async def _present(connection: Connection, case: str, message: int) -> CaseMessage:
    cursor = await connection.execute(
        f'select {_COLUMNS} from case_messages m where "case" = %s and message = %s',
        [case, message],
    )
    row = await cursor.fetchone()
    if row is None:
        raise UnknownMessageError(f"there is no message {message} of this case")
    return CaseMessage(**row)


async def _refuse_unknown(connection: Connection, template: str | None) -> None:
    if template is None:
        return
    cursor = await connection.execute(
        "select from messages where name = %s and live", [clean_text(template)]
    )
    if await cursor.fetchone() is None:
        raise UnknownMessageError(f"no message {template[:100]!r} is published")


async def _files(connection: Connection, message: int, n: int | None = None) -> list[Attachment]:
    cursor = await connection.execute(
        "select name, media_type, content from case_message_files where message = %(message)s"
        " and (%(n)s::int is null or n = %(n)s) order by n",
        {"message": message, "n": n},
    )
    return [Attachment(**row) for row in await cursor.fetchall()]


async def _name_of(connection: Connection, member: str) -> str:
    cursor = await connection.execute("select name from members where member = %s", [member])
    row = await cursor.fetchone()
    return row["name"] if row else member
