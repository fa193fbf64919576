"""What a role that owns nothing may do in a database: rows come and go, tables and the audit stay.

Whoever owns the tables migrates; running processes have a role of their own, which these rights are for.
Granting is repeated after every migration, and ends by looking at what the role may do after all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import LiteralString

import psycopg
from psycopg import conninfo, sql
from psycopg.errors import InsufficientPrivilege

from stores.migrations import LOCK

_Connection = psycopg.Connection[tuple[object, ...]]

_LATER: Sequence[LiteralString] = (
    "alter default privileges in schema {schema} grant select, insert, update, delete on tables to {role}",
    "alter default privileges in schema {schema} grant usage on sequences to {role}",
)
_FOR_ALL: Sequence[LiteralString] = (
    # Nobody has rights only because they are somebody: a temporary table hides a real one.
    "revoke create on schema {schema} from public, {role}",
    "revoke all on all tables in schema {schema} from public, {role}",
    "revoke all on all sequences in schema {schema} from public, {role}",
    "revoke create, temporary on database {database} from public, {role}",
    "grant connect on database {database} to {role}",
    "grant usage on schema {schema} to {role}",
    "grant select, insert, update, delete on all tables in schema {schema} to {role}",
    "grant usage on all sequences in schema {schema} to {role}",
    *_LATER,
)


class RightsError(Exception):
    """A role that would have more rights than it may, or whom nobody could give them; says what helps."""


@dataclass(slots=True, frozen=True, kw_only=True)
class Kept:
    """What of a database is kept from the role, though it works on every other row."""

    only_read: Sequence[str] = ()
    """Tables that it may read."""
    only_columns: Mapping[str, Mapping[LiteralString, Sequence[str]]] = field(
        default_factory=dict[str, Mapping[LiteralString, Sequence[str]]]
    )
    """Tables of which it may insert or update some columns, and delete nothing."""
    functions: Sequence[str] = ()
    """Functions of the owner's that it may call."""


OURS = Kept(
    only_read=("alembic_version", "audit_chain", "audit_head"),
    only_columns={
        "audit": {
            # When, and where in the chain, is not theirs to say.
            "insert": [
                "who",
                "did",
                "object",
                "detail",
                "actor",
                "ip",
                "request",
                "before",
                "after",
            ],
            # A trigger lets erasure through, and nothing else.
            "update": ["detail", "erased_at"],
        }
    },
    functions=("make_touchpoints_partition(timestamptz)",),
)
"""What our own database keeps from running processes: its schema, and what staff did."""

ROWS = Kept()
"""Nothing but the tables themselves."""


def role_of(url: str) -> str:
    """The role that a URL names. Raises: `RightsError` where it names none."""
    role = conninfo.conninfo_to_dict(url).get("user")
    if not role:
        raise RightsError(
            f"{_place(url)}: write the role into the URL: postgresql://clew_running@…"
        )
    return str(role)


def same_database(one: str, other: str) -> bool:
    """Whether two URLs lead to one database, as they are written."""
    return _place(one) == _place(other)


def give_rights(owner_url: str, role: str, password: str | None, kept: Kept) -> None:
    """Make `role` where it is not there, and give it the rows of the owner's tables but for `kept`.

    All or nothing; the password, where one is given and the owner makes roles, is the role's from
    then on, and PostgreSQL is told only what proves it. Several processes may call it at once.

    Raises: `RightsError` where the role may do more afterwards, or the owner may not grant.
    """
    with psycopg.connect(owner_url, application_name="clew rights") as connection:
        connection.execute("select pg_advisory_xact_lock(%s)", [LOCK])
        owner, database, schema = _here(connection)
        if role == owner:
            raise RightsError(
                f"{role} owns the tables: running processes need a role of their own."
            )
        try:
            _make_role(connection, role, password)
            names = {
                "schema": sql.Identifier(schema),
                "database": sql.Identifier(database),
                "role": sql.Identifier(role),
            }
            for statement in _FOR_ALL:
                connection.execute(sql.SQL(statement).format(**names))
            _keep(connection, sql.Identifier(role), kept)
        except InsufficientPrivilege as error:
            raise RightsError(
                f"{owner} may not give {role} its rights: {error.diag.message_primary}. Let {owner} own the "
                f"database {database}, and make the role: create role {role} login password '…'"
            ) from None
        found = _too_much(connection, role, schema, kept)
        if found:
            raise RightsError(f"{role} may do what running processes must not: {'; '.join(found)}")


def _here(connection: _Connection) -> tuple[str, str, str]:
    row = connection.execute(
        "select current_user::text, current_database()::text, current_schema()::text"
    ).fetchone()
    assert row is not None
    return str(row[0]), str(row[1]), str(row[2])


def _make_role(connection: _Connection, role: str, password: str | None) -> None:
    there = connection.execute("select from pg_roles where rolname = %s", [role]).fetchone()
    if there is None:
        connection.execute(sql.SQL("create role {} login").format(sql.Identifier(role)))
    elif not _makes_roles(connection):
        return  # whoever made the role looks after its password
    if password:
        # The server's log and statistics never see the password itself.
        proof = connection.pgconn.encrypt_password(
            password.encode(), role.encode(), b"scram-sha-256"
        )
        connection.execute(
            sql.SQL("alter role {} password {}").format(
                sql.Identifier(role), sql.Literal(proof.decode())
            )
        )


def _makes_roles(connection: _Connection) -> bool:
    may = "select from pg_roles where rolname = current_user and (rolsuper or rolcreaterole)"
    return connection.execute(may).fetchone() is not None


def _keep(connection: _Connection, role: sql.Identifier, kept: Kept) -> None:
    for table in (*kept.only_read, *kept.only_columns):
        connection.execute(
            sql.SQL("revoke insert, update, delete on {} from {}").format(
                sql.Identifier(table), role
            )
        )
    for table, given in kept.only_columns.items():
        for right, columns in given.items():
            connection.execute(
                sql.SQL("grant {} ({}) on {} to {}").format(
                    sql.SQL(right),
                    sql.SQL(", ").join(map(sql.Identifier, columns)),
                    sql.Identifier(table),
                    role,
                )
            )
    for function in kept.functions:
        name, _, arguments = function.rstrip(")").partition("(")
        connection.execute(
            sql.SQL("grant execute on function {}({}) to {}").format(
                sql.Identifier(name), sql.Identifier(arguments), role
            )
        )


_MAY = """
with the_role as (select * from pg_roles where rolname = %(role)s),
tables as (
    select oid, relname, relowner from pg_class
     where relnamespace = %(schema)s::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f')
)
select 'is a superuser' from the_role where rolsuper
union all select 'may make roles' from the_role where rolcreaterole
union all select 'may make databases' from the_role where rolcreatedb
union all select 'may replicate' from the_role where rolreplication
union all select 'passes by row security' from the_role where rolbypassrls
union all
select 'has the rights of ' || o.rolname || ', who owns tables' from the_role r, pg_roles o
 where o.oid in (select relowner from tables) and pg_has_role(r.oid, o.oid, 'member')
union all
select 'has the rights of ' || o.rolname from the_role r, pg_roles o
 where o.rolname in ('pg_execute_server_program', 'pg_write_server_files', 'pg_read_server_files')
   and pg_has_role(r.oid, o.oid, 'member')
union all
select 'may make things in the schema ' || %(schema)s from the_role r
 where has_schema_privilege(r.oid, %(schema)s, 'create')
union all
select 'may make ' || what || ' in the database' from the_role r,
       (values ('schemas', 'create'), ('temporary tables', 'temporary')) as made (what, priv)
 where has_database_privilege(r.oid, current_database(), priv)
union all
select 'may ' || priv || ' ' || relname from the_role r, tables t,
       unnest(array['truncate', 'references', 'trigger']) priv
 where has_table_privilege(r.oid, t.oid, priv)
union all
select 'may ' || priv || ' ' || relname from the_role r, tables t,
       unnest(array['insert', 'update', 'delete']) priv
 where relname = any(%(kept)s) and has_table_privilege(r.oid, t.oid, priv)
"""


def _too_much(connection: _Connection, role: str, schema: str, kept: Kept) -> list[str]:
    """What the role may do after all, by whatever way: its attributes, other roles, PUBLIC."""
    guarded = [*kept.only_read, *kept.only_columns]
    found = connection.execute(_MAY, {"role": role, "schema": schema, "kept": guarded}).fetchall()
    return [str(row[0]) for row in found]


def _place(url: str) -> tuple[str, str, str]:
    """Host, port and database, as libpq would take them."""
    told = conninfo.conninfo_to_dict(url)
    host = told.get("hostaddr") or told.get("host") or ""
    return str(host), str(told.get("port") or 5432), str(told.get("dbname") or told.get("user"))
