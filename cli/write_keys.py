"""`clew write-keys`: who may send touchpoints and devices, and until when."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.deeds import who
from cli.output import (
    STATE,
    AsJson,
    CommandError,
    State,
    print_json,
    print_table,
    run,
    say,
    wrong_use,
)

if TYPE_CHECKING:
    from stores.write_keys import WriteKey, WriteKeyStore

_NAME = typer.Argument(help="Who sends with it, such as web-shop.")
_KEEP = "Keep it: it is not shown again."
_LONGEST = 200
Name = Annotated[str, _NAME]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        help="Who may send touchpoints and devices, and until when.", no_args_is_help=True
    )
    for name, command in (
        ("create", create), ("list", several), ("rotate", rotate), ("revoke", revoke),
    ):  # fmt: skip
        group.command(name)(command)
    app.add_typer(group, name="write-keys")
    app.command("write-key")(write_key)


def write_key(name: Name, state: State = STATE, as_json: AsJson = False) -> None:
    """Make a write key that opens every door of senders and does not end. It is shown once."""
    create(name, state=state, as_json=as_json)


def create(
    name: Name,
    scope: Annotated[
        list[str] | None,
        typer.Option(help="A door that it opens: ingest or devices. Unsaid: both. May be repeated."),
    ] = None,
    days: Annotated[
        int | None, typer.Option(min=1, max=3_650, help="For how many days it is good. Unsaid: without end.")
    ] = None,
    state: State = STATE,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Make a write key. It is shown once."""
    from stores.write_keys import SCOPES, Scope

    wanted: list[Scope] = [each for each in SCOPES if scope is None or each in scope]
    unknown = sorted(set(scope or ()) - set(SCOPES))
    if unknown:
        wrong_use(f"--scope: {unknown[0]} is none; they are {', '.join(SCOPES)}.")
    if not name.strip() or len(name) > _LONGEST:
        wrong_use(f"NAME: write 1 to {_LONGEST} characters.")
    lasts = None if days is None else timedelta(days=days)

    async def work() -> str:
        async with _keys(state) as keys:
            return await keys.create(name, scopes=wanted, lasts=lasts, by=who())

    _show(name, run(work()), as_json=as_json)


def several(state: State = STATE, as_json: AsJson = False) -> None:
    """List the keys, never themselves."""

    async def work() -> "list[WriteKey]":
        async with _keys(state) as keys:
            return await keys.keys()

    found = run(work())
    if as_json:
        print_json(found)
        return
    columns = ("name", "opens", "made (UTC)", "last used", "ends", "revoked")
    rows = [
        (k.name, ", ".join(k.scopes), k.created_at, k.used_at, k.expires_at, k.revoked_at)
        for k in found
    ]
    print_table(columns, rows)


def rotate(
    name: Name,
    overlap: Annotated[
        int, typer.Option(min=0, max=8_760, help="For how many hours the old keys are good beside it.")
    ] = 24,
    state: State = STATE,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Make a key in place of those of this name. It opens and ends as they did, and is shown once."""

    async def work() -> str | None:
        async with _keys(state) as keys:
            return await keys.rotate(name, overlap=timedelta(hours=overlap), by=who())

    key = run(work())
    if key is None:
        raise CommandError(_none(name))
    _show(name, key, as_json=as_json)
    say(f"The old ones end in {overlap} hours." if overlap else "The old ones end now.")


def revoke(name: Name, state: State = STATE) -> None:
    """Accept no key of this name any more; it takes 5 seconds at most."""

    async def work() -> int:
        async with _keys(state) as keys:
            return await keys.revoke(name, by=who())

    if not run(work()):
        raise CommandError(_none(name))
    say(f"Revoked: {name}.")


def _none(name: str) -> str:
    return f"No key of the name {name} is good. `clew write-keys list` shows them."


def _show(name: str, key: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"name": name, "write_key": key})
        return
    print(key)
    say(_KEEP)


@asynccontextmanager
async def _keys(state: Path) -> AsyncGenerator["WriteKeyStore"]:
    from cli.installation import database
    from stores.write_keys import WriteKeyStore

    async with database(state) as pool:
        yield WriteKeyStore(pool)
