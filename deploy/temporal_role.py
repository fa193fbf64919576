"""Make the role that Temporal's server works with, as often as one likes.

`python -m deploy.temporal_role` makes Temporal's two databases beside ours, at `CLEW_OWNER_DATABASE_URL`, and the role
`temporal` with `TEMPORAL_DATABASE_PASSWORD` (or what the file of `TEMPORAL_DATABASE_PASSWORD_FILE` says). It may work
on the rows of both, also of tables that are not there yet; their owner makes those, with Temporal's own tool.
"""

import os
import sys

import psycopg
from psycopg import conninfo, sql

from deploy.secret_setting import secret_setting
from stores.migrations import LOCK
from stores.rights import ROWS, RightsError, give_rights

ROLE = "temporal"
DATABASES = ("temporal", "temporal_visibility")


def main() -> int:
    """Make all of it; a setting that is missing is named."""
    url, password = (
        os.getenv("CLEW_OWNER_DATABASE_URL"),
        secret_setting("TEMPORAL_DATABASE_PASSWORD"),
    )
    if not url or not password:
        print("Not set: CLEW_OWNER_DATABASE_URL or TEMPORAL_DATABASE_PASSWORD", file=sys.stderr)
        return 2
    try:
        make_temporal_role(url, password)
    except RightsError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{ROLE} may work on the rows of {' and '.join(DATABASES)}, and on nothing else.")
    return 0


def make_temporal_role(owner_url: str, password: str) -> None:
    """The databases, the role and its rights. Raises: `RightsError` where they cannot be given."""
    for database in DATABASES:
        _make_database(owner_url, database)
        give_rights(conninfo.make_conninfo(owner_url, dbname=database), ROLE, password, ROWS)


def _make_database(url: str, name: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("select pg_advisory_lock(%s)", [LOCK])
        there = connection.execute("select from pg_database where datname = %s", [name]).fetchone()
        if there is None:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))


if __name__ == "__main__":
    sys.exit(main())
