"""The audit: chained, append-only, and whatever was done to it shows."""

import asyncio
import os
import random
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg
import pytest

from stores.audit import AuditStore, Origin, acting, digest_of, record_deed
from stores.audit_chain import AuditChain, Head
from stores.database import Connection, Pool

DEEDS = int(os.environ.get("CLEW_AUDIT_DEEDS", "2000"))
"""100,000 in the measured version: CLEW_AUDIT_DEEDS=100000."""

UNGUARDED = "set local session_replication_role = replica"
"""As somebody who may do anything in the database: no trigger runs."""


async def fill(pool: Pool, deeds: int = 5) -> None:
    """Deeds, as many in one transaction as there are."""
    async with pool.connection() as connection:
        await connection.execute(
            "insert into audit (who, did, object, detail)"
            " select 'eva', 'stopped', 'journey j' || n, jsonb_build_object('why', 'cena ' || n)"
            " from generate_series(1, %s) n",
            [deeds],
        )


async def tampered(pool: Pool, statement: Any, *values: object) -> None:
    async with pool.connection() as connection:
        await connection.execute(UNGUARDED)
        await connection.execute(statement, values)


async def test_what_was_done_is_chained_with_who_proved_to_be_whom(pool: Pool) -> None:
    audit = AuditStore(pool)
    with acting(Origin(actor="Jana's console", ip="10.1.2.3", request="r-1")):
        await audit.record(
            "jana", "stopped", "journey cart", {"why": "ceny"}, after={"b": 1, "a": 2}
        )
    await audit.record("command: root", "resumed", "journey cart")

    resumed, stopped = await audit.latest()
    assert (stopped.actor, stopped.ip, stopped.request) == ("Jana's console", "10.1.2.3", "r-1")
    assert (stopped.before, stopped.after) == ("", digest_of({"a": 2, "b": 1}))
    assert (resumed.actor, resumed.ip) == ("", "")
    found = await AuditChain(pool).verify()
    assert (found.deeds, found.broken, found.head) == (2, "", await AuditChain(pool).head())


async def test_many_who_do_something_at_once_make_one_chain(pool: Pool) -> None:
    audit = AuditStore(pool)
    await asyncio.gather(*(audit.record(f"s{n}", "decided", f"case {n}") for n in range(40)))

    found = await AuditChain(pool).verify()
    assert (found.deeds, found.broken) == (40, "")


async def test_who_has_written_down_a_deed_makes_nobody_wait_before_the_commit(pool: Pool) -> None:
    async with pool.connection() as slow:
        await record_deed(slow, "eva", "stopped", "everything")
        async with asyncio.timeout(5):
            await AuditStore(pool).record("petr", "decided", "case 1")

    assert (await AuditChain(pool).verify()).broken == ""


async def test_what_is_undone_leaves_no_gap(pool: Pool) -> None:
    await fill(pool, 1)
    async with pool.connection() as connection:
        await record_deed(connection, "eva", "stopped", "everything")
        await connection.rollback()
    await fill(pool, 1)

    assert (await AuditChain(pool).verify()).broken == ""


@pytest.mark.parametrize("statement", [
    "update audit set who = 'nobody'",
    "update audit set detail = '{}'",
    "update audit set detail = '{\"why\": \"other\"}', erased_at = now()",
    "update audit set who = 'nobody', detail = '{}', erased_at = now()",
    "delete from audit",
    "truncate audit",
    "update audit_chain set hash = ''",
    "delete from audit_chain",
    "truncate audit_chain",
])  # fmt: skip
async def test_the_database_refuses_whoever_changes_what_was_done(
    pool: Pool, statement: Any
) -> None:
    await fill(pool)

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with pool.connection() as connection:
            await connection.execute(statement)

    assert (await AuditChain(pool).verify()).deeds == 5


async def test_a_role_without_rights_of_its_own_may_not_even_try(pool: Pool) -> None:
    async with pool.connection() as connection:
        cursor = await connection.execute(
            "select table_name, privilege_type from information_schema.table_privileges"
            " where table_name in ('audit', 'audit_chain')"
            "   and privilege_type in ('UPDATE', 'DELETE', 'TRUNCATE')"
        )
        assert await cursor.fetchall() == []


TAMPERED: dict[str, tuple[str, str]] = {
    "who": ("update audit set who = 'nobody' where audit = %s", "not as it was written"),
    "when": ("update audit set at = at + interval '1 us' where audit = %s", "not as it was written"),
    "from where": ("update audit set ip = '1' where audit = %s", "not as it was written"),
    "details": ("update audit set detail = '{\"why\": \"x\"}' where audit = %s", "details were changed"),
    "half erased": ("update audit set erased_at = now() where audit = %s", "details were changed"),
    "digest too": (
        "update audit set detail = '{}', detail_digest = encode(sha256('{}'), 'hex') where audit = %s",
        "not as it was written",
    ),
    "taken out": ("delete from audit where audit = %s", "was taken out"),
    "with its link": (
        "with gone as (delete from audit where audit = %s returning audit)"
        " delete from audit_chain c using gone where c.audit = gone.audit",
        "is missing",
    ),
    "link": ("update audit_chain set hash = sha256('x') where audit = %s", "not as it was written"),
    "put in": (
        "insert into audit (who, did, object) select 'x', 'y', 'z' where 0 < %s", "put in beside",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", TAMPERED)
async def test_one_deed_that_was_tampered_with_is_found_and_named(pool: Pool, kind: str) -> None:
    await fill(pool)
    statement, says = TAMPERED[kind]

    await tampered(pool, statement, 3)

    broken = (await AuditChain(pool).verify()).broken
    assert says in broken
    assert kind == "put in" or "deed 3" in broken or "link 3" in broken


async def test_one_of_very_many_is_found(pool: Pool) -> None:
    await fill(pool, DEEDS)
    assert (await AuditChain(pool).verify()).broken == ""
    chosen = random.Random(19).randint(1, DEEDS)

    await tampered(pool, "update audit set who = who || ' ' where audit = %s", chosen)

    assert f"deed {chosen} " in (await AuditChain(pool).verify()).broken


async def cut(pool: Pool) -> None:
    await tampered(pool, "delete from audit where audit > 3")
    await tampered(pool, "delete from audit_chain where n > 3")


async def cut_with_its_head(pool: Pool) -> None:
    await cut(pool)
    await tampered(
        pool, "update audit_head h set n = 3, hash = c.hash from audit_chain c where c.n = 3"
    )


async def written_anew(pool: Pool) -> None:
    await tampered(pool, "delete from audit")
    await tampered(pool, "delete from audit_chain")
    await tampered(pool, "update audit_head set n = 0, hash = sha256('clew audit')")
    await fill(pool, 6)


@pytest.mark.parametrize(
    ("crime", "shows_alone", "says"),
    [
        (cut, True, "cut off"),
        (cut_with_its_head, False, "before the kept 5: it was cut off"),
        (written_anew, False, "not the one that was kept"),
    ],
)
async def test_a_head_that_was_kept_elsewhere_shows_what_the_chain_alone_cannot(
    pool: Pool, crime: Callable[[Pool], Awaitable[None]], shows_alone: bool, says: str
) -> None:
    await fill(pool)
    kept = await AuditChain(pool).head()

    await crime(pool)

    assert bool((await AuditChain(pool).verify()).broken) is shows_alone
    assert says in (await AuditChain(pool).verify(kept)).broken


async def test_a_kept_head_holds_while_more_is_done(pool: Pool) -> None:
    await fill(pool)
    kept = await AuditChain(pool).head()
    await fill(pool)

    assert (await AuditChain(pool).verify(kept)).broken == ""
    assert (await AuditChain(pool).verify(Head(n=5, hash="ab"))).broken != ""


async def test_erasure_takes_the_words_and_leaves_the_deed(pool: Pool) -> None:
    await AuditStore(pool).record("eva", "merged", "customer c-1", {"why": "Anna rang"})
    async with pool.connection() as connection:
        # As the rule of the table says (stores/held_tables.py).
        cursor = await connection.execute(
            "update audit set detail = '{}', erased_at = now()"
            " where object = 'customer c-1' and erased_at is null"
        )
        assert cursor.rowcount == 1

    found = await AuditChain(pool).verify()
    assert (found.broken, found.erased) == ("", 1)
    [deed] = await AuditStore(pool).latest()
    assert (deed.did, deed.detail) == ("merged", {})


async def test_without_its_guards_the_audit_would_be_open(pool: Pool) -> None:
    """The refusals above come from the guards and from nothing else."""
    await fill(pool)
    connection: Connection
    async with pool.connection() as connection:
        await connection.execute("drop trigger audit_stays on audit")
        await connection.execute("update audit set who = 'nobody' where audit = 1")

    assert "deed 1 " in (await AuditChain(pool).verify()).broken
