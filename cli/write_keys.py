"""`clew write-key`: who may send touchpoints."""

from pathlib import Path
from typing import Annotated

import typer

from cli.output import STATE, AsJson, State, print_json, run, say


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("write-key")(write_key)


def write_key(
    name: Annotated[str, typer.Argument(help="Who will send with it, such as web-shop.")],
    state: State = STATE,
    as_json: AsJson = False,
) -> None:
    """Make a write key for the ingest API. It is shown once."""
    key = run(_create(state, name))
    if as_json:
        print_json({"name": name, "write_key": key})
        return
    print(key)
    say("Keep it: it is not shown again.")


async def _create(state: Path, name: str) -> str:
    from cli.installation import database
    from stores.write_keys import WriteKeyStore

    async with database(state) as pool:
        return await WriteKeyStore(pool).create(name)
