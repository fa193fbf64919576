"""Two roles: who owns tables migrates; who runs works on rows, and can neither change a table nor what was done."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
import pytest_asyncio
from psycopg import conninfo, sql

from deploy.prepare import prepare_database
from stores.audit import AuditStore
from stores.audit_chain import AuditChain
from stores.database import Pool, open_pool
from stores.migrations import pending
from stores.rights import OURS, RightsError, give_rights
from stores.touchpoints import ensure_partitions
from workers.embedded.postgres_server import PostgresServer

ROLE = "clew_running"


@pytest.fixture
def lesser(database: str) -> str:
    """The URL of the running processes' role, in a database of this test's own."""
    give_rights(database, ROLE, None, OURS)
    return conninfo.make_conninfo(database, user=ROLE)


@pytest_asyncio.fixture
async def running(lesser: str) -> AsyncIterator[Pool]:
    pool = await open_pool(lesser, most=4)
    yield pool
    await pool.close()


async def ran(pool: Pool, statement: Any) -> None:
    async with pool.connection() as connection:
        await connection.execute(statement)


FORBIDDEN = [
    # Tables, and what hangs on them.
    "create table mine (n integer)",
    "create temporary table hidden (n integer)",
    "create schema mine",
    "create function mine() returns integer language sql as 'select 1'",
    "create view mine as select 1",
    "alter table runs add column mine integer",
    "alter table runs owner to clew_running",
    "drop table runs",
    "create index mine on runs (state)",
    "truncate runs",
    "truncate touchpoints",
    "create table touchpoints_mine partition of touchpoints for values from ('2090-01-01') to ('2090-02-01')",
    # What guards the audit.
    "alter table audit disable trigger all",
    "alter table audit disable trigger audit_stays",
    "drop trigger audit_stays on audit",
    "create trigger mine before insert on audit for each row execute function audit_stays()",
    "create or replace function audit_stays() returns trigger language plpgsql as 'begin return new; end'",
    "alter function audit_chained() security invoker",
    "set session_replication_role = replica",
    "set role postgres",
    "set session authorization postgres",
    # The audit itself.
    "update audit set who = 'nobody'",
    "update audit set detail = '{}'",
    "update audit set at = now()",
    "delete from audit",
    "truncate audit",
    "insert into audit (who, did, object, at) values ('eva', 'did', 'it', now() - interval '1 year')",
    "insert into audit (audit, who, did, object) overriding system value values (1, 'eva', 'did', 'it')",
    "insert into audit_chain (n, audit, hash) values (9, 9, '')",
    "update audit_chain set hash = ''",
    "delete from audit_chain",
    "truncate audit_chain",
    "update audit_head set n = 0",
    "delete from audit_head",
    "select audit_forge(a) from audit a",
    # The schema's number, other roles, and the machine.
    "update alembic_version set version_num = '0001'",
    "delete from alembic_version",
    "create role mine",
    "alter role clew_running createrole",
    "copy runs to program 'true'",
    "select pg_read_file('/etc/passwd')",
    "select rolpassword from pg_authid",
]


@pytest.mark.parametrize("statement", FORBIDDEN)
async def test_who_runs_may_not(running: Pool, statement: str) -> None:
    await AuditStore(running).record("eva", "stopped", "journey cart", {"why": "ceny"})

    with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.GeneratedAlways)):
        await ran(running, statement)

    assert (await AuditChain(running).verify()).broken == ""


async def test_what_they_do_is_chained_all_the_same(running: Pool) -> None:
    audit = AuditStore(running)
    for n in range(3):
        await audit.record("eva", "decided", f"case {n}", {"n": n})

    found = await AuditChain(running).verify()

    assert (found.deeds, found.broken) == (3, "")


async def test_erasure_may_take_details_and_nothing_else_of_a_deed(running: Pool) -> None:
    await AuditStore(running).record("eva", "decided", "case 1", {"why": "ceny"})

    await ran(running, "update audit set detail = '{}', erased_at = now()")

    [deed] = await AuditStore(running).latest()
    assert (deed.detail, deed.erased_at is not None) == ({}, True)
    assert (await AuditChain(running).verify()).broken == ""


async def test_they_have_partitions_made_and_can_ask_for_no_other_table(
    running: Pool, database: str
) -> None:
    made = await ensure_partitions(running, 1, today=datetime(2031, 5, 1, tzinfo=UTC))

    assert made == ["touchpoints_2031_05", "touchpoints_2031_06"]
    async with await psycopg.AsyncConnection.connect(database) as owner:
        rows = await owner.execute(
            "select distinct tableowner from pg_tables where tablename like 'touchpoints%'"
        )
        assert await rows.fetchall() == [("postgres",)]
    for month in ("1969-12-31", "2999-01-01"):
        with pytest.raises(psycopg.errors.InvalidParameterValue):
            await ran(running, f"select make_touchpoints_partition('{month}')")


async def test_a_table_of_a_later_migration_is_theirs_to_work_on_at_once(
    running: Pool, database: str
) -> None:
    async with await psycopg.AsyncConnection.connect(database) as owner:
        await owner.execute("create table later (n bigint generated always as identity, s text)")

    await ran(running, "insert into later (s) values ('a')")
    await ran(running, "update later set s = 'b'")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        await ran(running, "truncate later")
    await ran(running, "delete from later")


async def test_they_see_whether_a_migration_is_pending(lesser: str) -> None:
    assert pending(lesser) == []


def prepared(owner: str, url: str, password: str | None = None) -> None:
    with pytest.MonkeyPatch.context() as environment:
        if password is not None:
            environment.setenv("CLEW_DATABASE_PASSWORD", password)
        prepare_database(url, owner)


async def one(url: str, query: Any, *values: Any) -> Any:
    async with await psycopg.AsyncConnection.connect(url) as connection:
        row = await (await connection.execute(query, values)).fetchone()
        return None if row is None else row[0]


async def test_an_owner_who_is_no_superuser_prepares_as_often_as_one_likes(
    postgres: PostgresServer,
) -> None:
    server = postgres.url()
    async with await psycopg.AsyncConnection.connect(server, autocommit=True) as connection:
        await connection.execute("create role an_owner login createrole")
        await connection.execute("create database owned owner an_owner")
    owner = conninfo.make_conninfo(postgres.url("owned"), user="an_owner")
    url = conninfo.make_conninfo(postgres.url("owned"), user="a_runner")

    prepared(owner, url, "first")
    was = await one(server, "select rolpassword from pg_authid where rolname = 'a_runner'")
    prepared(owner, url, "second")

    now = await one(server, "select rolpassword from pg_authid where rolname = 'a_runner'")
    assert was.startswith("SCRAM-SHA-256$")
    assert now.startswith("SCRAM-SHA-256$")
    assert now != was
    assert pending(url) == []
    assert await one(url, "select count(*) from runs") == 0
    assert await one(url, "select has_database_privilege('owned', 'temporary')") is False


async def test_an_installation_with_one_role_goes_over_to_two_without_losing_a_deed(
    database: str,
) -> None:
    alone = await open_pool(database)
    await AuditStore(alone).record("eva", "stopped", "journey cart")
    await alone.close()

    prepared(database, conninfo.make_conninfo(database, user=ROLE))

    pool = await open_pool(conninfo.make_conninfo(database, user=ROLE))
    await AuditStore(pool).record("eva", "resumed", "journey cart")
    found = await AuditChain(pool).verify()
    await pool.close()
    assert (found.deeds, found.broken) == (2, "")


TOO_MUCH = {
    "superuser": "is a superuser",
    "createrole": "may make roles",
    "createdb": "may make databases",
    "replication": "may replicate",
    "bypassrls": "passes by row security",
    "in role an_owner_of_tables": "has the rights of an_owner_of_tables, who owns tables",
    "in role pg_execute_server_program": "has the rights of pg_execute_server_program",
    "in role pg_write_all_data": "may update audit",
    "in role may_truncate": "may truncate runs",
}


@pytest.mark.parametrize("attribute", TOO_MUCH)
async def test_a_role_that_may_do_more_is_refused_and_given_nothing(
    database: str, attribute: str
) -> None:
    async with await psycopg.AsyncConnection.connect(database) as owner:
        for group in ("an_owner_of_tables", "may_truncate"):
            await owner.execute(sql.SQL("create role {}").format(sql.Identifier(group)))
        await owner.execute("create table theirs (n integer)")
        await owner.execute("alter table theirs owner to an_owner_of_tables")
        await owner.execute("grant truncate on runs to may_truncate")
        await owner.execute(sql.SQL("create role mighty login " + attribute))  # pyright: ignore[reportArgumentType]
        await owner.commit()
        try:
            with pytest.raises(RightsError, match=TOO_MUCH[attribute]):
                give_rights(database, "mighty", None, OURS)
            found = await owner.execute(
                "select count(*) from information_schema.table_privileges where grantee = 'mighty'"
            )
            assert await found.fetchone() == (0,)
        finally:
            await owner.rollback()
            await owner.execute("drop table theirs")
            await owner.execute("revoke truncate on runs from may_truncate")
            await owner.execute("drop role mighty, an_owner_of_tables, may_truncate")


async def test_the_owner_runs_nothing_and_two_databases_are_not_one(database: str) -> None:
    with pytest.raises(RightsError, match="a role of their own"):
        prepared(database, database)
    with pytest.raises(RightsError, match="another database"):
        prepared(database, conninfo.make_conninfo(database, user=ROLE, dbname="elsewhere"))
    told = conninfo.conninfo_to_dict(database)
    nobody = conninfo.make_conninfo("", host=told["host"], dbname=told["dbname"])
    with pytest.raises(RightsError, match="write the role into the URL"):
        prepared(database, nobody)


async def test_an_owner_who_may_not_make_roles_is_told_what_helps(
    postgres: PostgresServer,
) -> None:
    async with await psycopg.AsyncConnection.connect(postgres.url(), autocommit=True) as connection:
        await connection.execute("create role a_plain_owner login")
        await connection.execute("create database plain owner a_plain_owner")
    owner = conninfo.make_conninfo(postgres.url("plain"), user="a_plain_owner")
    url = conninfo.make_conninfo(postgres.url("plain"), user="made_elsewhere")

    with pytest.raises(RightsError, match="create role made_elsewhere login"):
        prepared(owner, url, "p")
    async with await psycopg.AsyncConnection.connect(postgres.url(), autocommit=True) as connection:
        await connection.execute("create role made_elsewhere login")
    prepared(owner, url, "p")

    assert await one(url, "select count(*) from runs") == 0
