"""The two databases of a Temporal server on PostgreSQL, made and brought up to date by its own tool."""

import asyncio
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import conninfo, sql

from workers.embedded.child_process import EmbeddedServerError

STATE, VISIBILITY = "temporal", "temporal_visibility"
SCHEMAS = {STATE: "postgresql/v12/temporal", VISIBILITY: "postgresql/v12/visibility"}
PLUGIN = "postgres12"
TOOL_PLUGIN = "postgres12_pgx"
"""The other driver, for the same tables: the tool insists on a host, which `postgres12` would prefer to a socket."""


@dataclass(frozen=True)
class PostgresPlace:
    """Where a PostgreSQL is, in the parts that Temporal asks for."""

    host: str
    port: int
    user: str
    password: str

    @classmethod
    def of(cls, url: str) -> "PostgresPlace":
        """Of a URL as libpq takes it; a host that is a folder is that of a UNIX socket."""
        told = conninfo.conninfo_to_dict(url)
        return cls(
            host=str(told.get("host") or "127.0.0.1"),
            port=int(told.get("port") or 5432),
            user=str(told.get("user") or "postgres"),
            password=str(told.get("password") or ""),
        )

    @property
    def socket(self) -> str | None:
        """The folder of the UNIX socket. Temporal's URLs have no room for it but among the attributes."""
        return self.host if self.host.startswith("/") else None

    @property
    def tcp_host(self) -> str:
        """The host as an address; none beside a socket, for it would win over the socket's folder."""
        return "" if self.socket else self.host


async def make_tables(url: str, tool: Path, *, version: str | None = None) -> None:
    """Make what is missing of both databases. `version`: an older one of the schema, for tests.

    Raises:
        EmbeddedServerError: the tool refused; the message has its words.
    """
    for database, schema in SCHEMAS.items():
        await _make_database(url, database)
        await run_tool(url, tool, database, "setup-schema", "-v", "0.0")
        wanted = ["-v", version] if version else []
        await run_tool(url, tool, database, "update-schema", "--schema-name", schema, *wanted)


async def run_tool(url: str, tool: Path, database: str, *words: str) -> str:
    """One command of the schema tool on one database; returns what it said."""
    place = PostgresPlace.of(url)
    command = [
        str(tool), "--plugin", TOOL_PLUGIN, "--endpoint", place.tcp_host or "localhost", "--port", str(place.port),
        "--user", place.user, "--database", database,
    ]  # fmt: skip
    if place.socket:
        command += ["--connect-attributes", f"host={quote(place.socket, safe='')}"]
    done = await asyncio.to_thread(
        subprocess.run,
        [*command, *words],
        env={"SQL_PASSWORD": place.password},
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise EmbeddedServerError(
            f"Temporal's tables could not be made ({' '.join(words)} on {database}): "
            f"{(done.stdout + done.stderr).strip()[-800:]}"
        )
    return done.stdout + done.stderr


async def _make_database(url: str, name: str) -> None:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        found = await connection.execute("select from pg_database where datname = %s", (name,))
        if await found.fetchone() is None:
            await connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
