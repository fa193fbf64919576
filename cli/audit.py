"""`clew audit`: what was done, and whether that is still what is written."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

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
    from stores.audit import Deed
    from stores.audit_chain import Head, Verified


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        help="What was done by whom, and whether anybody changed it since.", no_args_is_help=True
    )
    group.command("verify")(verify)
    group.command("head")(head)
    group.command("list")(several)
    app.add_typer(group, name="audit")


def verify(
    kept: Annotated[
        str,
        typer.Option("--head", metavar="N:HASH", help="A head that `clew audit head` said before."),
    ] = "",
    state: State = STATE,
    as_json: AsJson = False,
) -> None:
    """Walk the chain; the first deed that is not as it was written is named."""
    found = run(_verify(state, _read_head(kept)))
    if as_json:
        print_json(found)
    if found.broken:
        raise CommandError(f"The audit was tampered with: {found.broken}.")
    if not as_json:
        say(
            f"{found.deeds} deeds, each as it was written; {found.erased} with erased details. Head: {found.head}"
        )


def head(state: State = STATE) -> None:
    """Print the end of the chain. Keep it elsewhere: with it, verify finds what was cut off, too."""
    print(run(_head(state)))


def several(
    what: Annotated[str, typer.Option(help="Of one thing, such as `journey winback`.")] = "",
    who: Annotated[str, typer.Option(help="By one person or token.")] = "",
    most: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    state: State = STATE,
    as_json: AsJson = False,
) -> None:
    """List what was done, the newest first."""
    found = run(_latest(state, what or None, who or None, most))
    if as_json:
        print_json(found)
        return
    print_table(
        ("when (UTC)", "who", "as", "did", "what"),
        [(f"{d.at:%Y-%m-%d %H:%M:%S}", d.who, d.actor, d.did, d.what) for d in found],
    )


def _read_head(told: str) -> "Head | None":
    from stores.audit_chain import Head

    if not told:
        return None
    n, _, digest = told.partition(":")
    if not n.isdecimal() or not digest:
        wrong_use("--head: write it as `clew audit head` prints it, N:HASH.")
    return Head(n=int(n), hash=digest)


async def _verify(state: Path, kept: "Head | None") -> "Verified":
    from cli.installation import database
    from stores.audit_chain import AuditChain

    async with database(state) as pool:
        return await AuditChain(pool).verify(kept)


async def _head(state: Path) -> "Head":
    from cli.installation import database
    from stores.audit_chain import AuditChain

    async with database(state) as pool:
        return await AuditChain(pool).head()


async def _latest(state: Path, what: str | None, who: str | None, most: int) -> "list[Deed]":
    from cli.installation import database
    from stores.audit import AuditStore

    async with database(state) as pool:
        return await AuditStore(pool).latest(what=what, who=who, most=most)
