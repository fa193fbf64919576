"""Who does something by command, and that it is written down."""

import getpass
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import JsonValue

    from stores.database import Pool


def who() -> str:
    """As whom the audit names whoever types: their name on this machine."""
    return f"command: {getpass.getuser()}"


async def write_down(
    pool: "Pool", did: str, what: str, detail: "Mapping[str, JsonValue] | None" = None
) -> None:
    """Write down one deed of whoever types."""
    from stores.audit import AuditStore

    await AuditStore(pool).record(who(), did, what, detail)


async def write_down_where_known(
    state: Path, did: str, what: str, detail: "Mapping[str, JsonValue] | None" = None
) -> None:
    """The same for what goes through the API by a write key: who has no more than that is no staff."""
    from cli.installation import database, find_installation

    if find_installation(state).database_url is None:
        return
    async with database(state) as pool:
        await write_down(pool, did, what, detail)
