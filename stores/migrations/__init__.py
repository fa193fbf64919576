"""Bringing a database to the schema that this version of the code needs.

Migrations are plain SQL beside their Alembic revision. Each only adds: old and new workers
run side by side while a deployment rolls, so what old code reads goes a release later.
"""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

_FOLDER = Path(__file__).parent
LOCK = 0x636C6577
"""`clew`: the advisory lock that processes which migrate or grant queue behind."""


def upgrade(url: str) -> None:
    """Apply what is missing, all or nothing.

    Several processes may call it at once: one migrates, the others wait. `url` is anything libpq
    takes. The lock is the transaction's, so it is safe behind PgBouncer.
    """
    configuration = _configuration()
    with _connect(url) as connection, connection.begin():
        connection.execute(sqlalchemy.text("select pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, "head")


def pending(url: str) -> list[str]:
    """The revisions that the database lacks, oldest first; empty when it is up to date."""
    scripts = ScriptDirectory.from_config(_configuration())
    with _connect(url) as connection:
        applied = set(MigrationContext.configure(connection).get_current_heads())
    missing: list[str] = []
    for script in scripts.walk_revisions():
        if script.revision in applied:
            break
        missing.append(script.revision)
    return missing[::-1]


def _configuration() -> Config:
    configuration = Config()
    configuration.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    configuration.set_main_option("path_separator", "os")
    return configuration


@contextmanager
def _connect(url: str) -> Generator[sqlalchemy.Connection]:
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://",
        creator=lambda: psycopg.connect(url, application_name="clew migrations"),
        poolclass=sqlalchemy.NullPool,
    )
    with engine.connect() as connection:
        yield connection
    engine.dispose()
