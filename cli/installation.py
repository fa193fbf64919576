"""Which installation a command speaks to: the one named in the environment, or the one running here."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from cli.output import FAILED, WRONG_USE, CommandError

if TYPE_CHECKING:
    from temporalio.client import Client
    from temporalio.converter import DataConverter

    from stores.database import Pool

PATIENCE_SECONDS = 5.0


@dataclass(slots=True, frozen=True, kw_only=True)
class Installation:
    """Where things are; None where this command was not told."""

    database_url: str | None
    temporal_address: str | None
    temporal_namespace: str = "default"
    api: str | None = None
    write_key: str | None = None

    def need(self, setting: str) -> str:
        """An address that the command cannot do without."""
        found: str | None = getattr(self, setting)
        if found is None:
            name = _NAMES[setting]
            raise CommandError(
                f"No installation runs here, and {name} is not set. Start one with `clew up`, "
                f"or set {name}.",
                WRONG_USE,
            )
        return found


_NAMES = {
    "database_url": "CLEW_DATABASE_URL",
    "temporal_address": "TEMPORAL_ADDRESS",
    "api": "CLEW_PUBLIC_URL",
    "write_key": "CLEW_WRITE_KEY",
}


def find_installation(state: Path) -> Installation:
    """The installation that the environment names, filled up from the one that runs in `state`."""
    from workers.embedded.stack_files import running_stack

    local = running_stack(state)
    environment = {name: os.environ.get(variable) for name, variable in _NAMES.items()}
    if local is None or environment["database_url"]:
        return Installation(
            **environment, temporal_namespace=os.environ.get("TEMPORAL_NAMESPACE") or "default"
        )
    return Installation(
        database_url=local.database_url,
        temporal_address=local.temporal_address,
        temporal_namespace=local.temporal_namespace,
        api=local.api,
        write_key=local.write_key,
    )


def runs_here(state: Path) -> bool:
    """Whether commands speak to the installation that runs in `state`, and not to one named outside."""
    from workers.embedded.stack_files import running_stack

    return running_stack(state) is not None and not os.environ.get("CLEW_DATABASE_URL")


@asynccontextmanager
async def database(state: Path) -> "AsyncGenerator[Pool]":
    """A pool on the installation's database. Raises: `CommandError` where it cannot be reached."""
    import psycopg
    from psycopg_pool import PoolTimeout

    from stores.database import open_pool

    url = find_installation(state).need("database_url")
    try:
        async with await psycopg.AsyncConnection.connect(url, connect_timeout=5):
            pass
        pool = await open_pool(url, name="clew command", most=4, wait_seconds=PATIENCE_SECONDS)
    except (psycopg.OperationalError, PoolTimeout) as error:
        raise CommandError(
            f"The database cannot be reached: {str(error).splitlines()[0]}. `clew doctor` tells more."
        ) from None
    try:
        yield pool
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
        raise CommandError(
            "The database has an older schema than this Clew: python -m deploy.prepare"
        ) from None
    finally:
        await pool.close()


async def temporal(state: Path, *, converter: "DataConverter | None" = None) -> "Client":
    """A client of the installation's Temporal: plain, or with this converter. Raises: `CommandError`."""
    from temporalio.client import Client
    from temporalio.converter import DataConverter

    from workers.temporal_tls import temporal_door

    found, door = find_installation(state), temporal_door()
    address = found.need("temporal_address")
    try:
        client = await Client.connect(
            address,
            namespace=found.temporal_namespace,
            tls=False if runs_here(state) else door.tls,
            api_key=door.api_key,
            data_converter=converter or DataConverter.default,
            lazy=True,
        )
        await client.service_client.check_health(timeout=timedelta(seconds=PATIENCE_SECONDS))
    except Exception as error:  # the SDK raises RuntimeError and RPCError alike
        raise CommandError(
            f"Temporal at {address} cannot be reached: {str(error).splitlines()[0]}", FAILED
        ) from None
    return client
