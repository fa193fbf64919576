"""Somebody complains in public: a case of the customer who is known by that name, else of a stranger.

A stranger is a customer of whom nothing is known but the name in public. They are nobody else until
somebody says so; then the two become one, and the case goes along.
"""

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import LiteralString

from pydantic import JsonValue

from journey.effects import OfferedDecision
from journey.queues import QueuesFile
from stores.audit import record_deed
from stores.case_hearing import BY_CUSTOMER, Said, case_heard, tell_case
from stores.case_minding import mind
from stores.case_rows import Case, happened, present_case
from stores.customers import CustomerStore
from stores.database import Connection, Pool, clean_text, ordered_json
from stores.house import HouseStore

BY_PROGRAM = "a program that watches networks"

DECISIONS = {
    "answered": OfferedDecision(title="They have their answer"),
    "not-for-us": OfferedDecision(title="It is not about us", fields={"why": "text"}),
}

_OPEN: LiteralString = """
insert into cases ("case", entry, n, workflow_id, journey, customer, queue, brief, decisions, state,
                   opened_at, queued_at, asked, origin, title, clock, language)
select 'case/mention:0:' || n, 0, n, '', '', %(customer)s, %(queue)s, %(brief)s, %(decisions)s, 'open',
       %(at)s, %(at)s, %(asked)s, 'mention', %(title)s, 'case/' || gen_random_uuid(), %(language)s
  from nextval('cases_asked_for') n
on conflict (asked) where asked is not null do nothing
returning "case"
"""


@dataclass(slots=True, frozen=True, kw_only=True)
class Mention:
    """What somebody said in public. `network` and `handle` name them there; `link` leads to it."""

    network: str
    handle: str
    link: str
    text: str
    language: str | None = None


@dataclass(slots=True, frozen=True, kw_only=True)
class Mentioned:
    """The case that it is on now. `new`: it was not known; `stranger`: nobody was known by that name."""

    case: Case
    new: bool
    stranger: bool


class MentionStore:
    """Takes mentions in. `ring` is called where the customer's runs are to be told."""

    def __init__(
        self, pool: Pool, customers: CustomerStore, ring: Callable[[], None] | None = None
    ) -> None:
        self._pool, self._customers, self._ring = pool, customers, ring or (lambda: None)
        self._house = HouseStore(pool)

    async def take(self, mention: Mention, queue: str) -> Mentioned:
        """Keep a mention with a case; the same link again changes nothing.

        With the case of its customer that is under way, else with a new one in `queue`.
        """
        house, now, rings = (await self._house.house()).queues, datetime.now(UTC), False
        async with self._pool.connection() as connection:
            name = (mention.network, mention.handle)
            known = await _known(connection, *name)
            before = await _before(connection, mention)
            if before is not None:
                return Mentioned(case=before, new=False, stranger=known is None)
            customer = await self._customers.resolve(connection, [name], by="mention")
            # Whoever mentions the same at the same moment waits here.
            await connection.execute(
                "select from customers where customer = %s for no key update", [customer]
            )
            before = await _before(connection, mention)
            if before is not None:
                return Mentioned(case=before, new=False, stranger=known is None)
            case = await case_heard(connection, customer, house)
            if case is not None:
                said = Said(id=mention.link, channel=mention.network, did="mentioned us")
                await _noted(connection, mention, case, now)
                rings = await tell_case(connection, case, said, house)
            else:
                case = await _opened(connection, mention, customer, queue, house, now)
            told: dict[str, JsonValue] = {"network": mention.network, "customer": customer}
            await record_deed(connection, BY_PROGRAM, "told of a mention", f"case {case}", told)
            held = await present_case(connection, case)
        if rings:
            self._ring()
        return Mentioned(case=held, new=True, stranger=known is None)


async def _known(connection: Connection, network: str, handle: str) -> str | None:
    cursor = await connection.execute(
        "select customer from identities where kind = %s and value = %s",
        [network, clean_text(handle).strip()],
    )
    row = await cursor.fetchone()
    return row["customer"] if row else None


async def _before(connection: Connection, mention: Mention) -> Case | None:
    cursor = await connection.execute(
        """
        select "case" from cases where asked = %(asked)s
         union all select "case" from case_mentions where asked = %(asked)s limit 1
        """,
        {"asked": _asked(mention)},
    )
    row = await cursor.fetchone()
    return await present_case(connection, row["case"]) if row else None


async def _noted(connection: Connection, mention: Mention, case: str, now: datetime) -> None:
    await connection.execute(
        'insert into case_mentions (asked, "case", network, link, text, at)'
        " values (%s, %s, %s, %s, %s, %s)",
        [_asked(mention), case, mention.network, mention.link, clean_text(mention.text), now],
    )


async def _opened(
    connection: Connection,
    mention: Mention,
    customer: str,
    queue: str,
    house: QueuesFile | None,
    now: datetime,
) -> str:
    title = f"Said in public on {mention.network}"
    cursor = await connection.execute(
        _OPEN,
        {
            "customer": customer, "queue": queue, "at": now, "asked": _asked(mention),
            "title": title, "language": mention.language,
            "brief": clean_text(f"{mention.text}\n\n{title}: {mention.link}"),
            "decisions": ordered_json({name: asdict(each) for name, each in DECISIONS.items()}),
        },
    )  # fmt: skip
    row = await cursor.fetchone()
    assert row is not None
    case: str = row["case"]
    await _noted(connection, mention, case, now)
    detail = {"id": mention.link, "channel": mention.network}
    await happened(connection, case, now, BY_CUSTOMER, "opened", detail={**detail})
    await mind(connection, await present_case(connection, case), house, now)
    return case


def _asked(mention: Mention) -> str:
    said = f"{mention.network} {mention.link}"
    return f"mention/{hashlib.sha256(said.encode()).hexdigest()}"
