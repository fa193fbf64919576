"""`clew stop`, `clew resume everything`, `clew stops`: the emergency stop."""

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import (
    FAILED,
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
    from stores.stops import Scope, Stop

SCOPES = ("everything", "journey", "channel")


def register(app: typer.Typer) -> None:
    """Add the commands; `clew resume` stands with the runs, which it resumes as well."""
    app.command("stop")(stop)
    app.command("stops")(stops)


def stop(
    scope: Annotated[str, typer.Argument(metavar="WHAT", help="everything, journey or channel.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="Which journey or channel.")] = "",
    why: Annotated[str, typer.Option("--why", help="Why; it is kept with the stop.")] = "",
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Also where no channel of ours has this name.")
    ] = False,
    state: State = STATE,
) -> None:
    """Stop sending at once: everything, one journey or one channel. Nothing is lost; service waits too."""
    meant = read_scope(scope, name)
    if not why.strip():
        wrong_use("--why: say why, for whoever reads it later.")
    if run(_stop(state, meant, name, why.strip(), anyway=anyway)):
        say(
            f"{in_words(meant, name)} is stopped. Let it go on: clew resume {scope} {name}".rstrip()
        )
    else:
        say(f"{in_words(meant, name)} is stopped already.")


def stops(state: State = STATE, as_json: AsJson = False) -> None:
    """Say what is stopped, and how many messages wait for it."""
    found = run(_now(state))
    if as_json:
        print_json(found)
        return
    if not found:
        say("Nothing is stopped.")
        return
    print_table(
        ("stopped", "since (UTC)", "by", "why", "waiting"),
        [
            (
                in_words(s.scope, s.name),
                f"{s.began_at:%Y-%m-%d %H:%M}",
                s.began_by,
                s.reason,
                s.waiting,
            )
            for s in found
        ],
    )


def resume_stopped(state: Path, scope: str, name: str) -> None:
    """Let what was stopped send again; what waits goes on by and by."""
    meant = read_scope(scope, name)
    if not run(_resume(state, meant, name)):
        raise CommandError(f"{in_words(meant, name)} is not stopped.", FAILED)
    say(f"{in_words(meant, name)} goes on: what waited goes out by and by, if it is still of use.")


def read_scope(scope: str, name: str) -> "Scope":
    """What is meant to stop or go on; ends the command where that cannot be told."""
    if scope == "everything":
        if name:
            wrong_use("everything needs no name.")
        return "everything"
    if scope not in ("journey", "channel"):
        wrong_use(f"{scope}: it is one of {', '.join(SCOPES)}.")
    if not name:
        wrong_use(f"name the {scope}: clew stop {scope} NAME --why …")
    return scope


def in_words(scope: str, name: str) -> str:
    """What it is: `journey winback`, `everything`."""
    return f"{scope.capitalize()} {name}".strip()


async def _stop(state: Path, scope: "Scope", name: str, why: str, *, anyway: bool) -> bool:
    from cli.installation import database
    from journey.channels import CHANNELS
    from stores.stops import StopStore

    if scope == "channel" and name not in CHANNELS and not anyway:
        known = ", ".join(CHANNELS)
        raise CommandError(
            f"{name} is no channel of ours; they are {known}. Or add --anyway.", FAILED
        )
    async with database(state) as pool:
        kept = StopStore(pool)
        if scope == "journey":
            known = await kept.journeys()
            if name not in known:
                told = ", ".join(known) or "none so far"
                raise CommandError(f"{name} is no journey; they are {told}.", FAILED)
        return await kept.begin(scope, name, reason=why, by=_who())


async def _resume(state: Path, scope: "Scope", name: str) -> bool:
    from cli.installation import database
    from stores.stops import StopStore

    async with database(state) as pool:
        return await StopStore(pool).lift(scope, name, by=_who())


async def _now(state: Path) -> "list[Stop]":
    from cli.installation import database
    from stores.stops import StopStore

    async with database(state) as pool:
        return await StopStore(pool).now()


def _who() -> str:
    return f"command: {getpass.getuser()}"
