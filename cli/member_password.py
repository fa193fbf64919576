"""`clew members password`: with what a member of staff signs in to the inbox."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.deeds import who
from cli.output import STATE, State, run, say, wrong_use

if TYPE_CHECKING:
    from stores.database import Pool


def add_to(group: typer.Typer) -> None:
    """Add the command to those of members."""
    group.command("password")(password)


def password(
    name: Annotated[str, typer.Argument(help="The member, such as eva.")],
    stdin: Annotated[
        bool, typer.Option("--stdin", help="Read it from standard input, for scripts.")
    ] = False,
    state: State = STATE,
) -> None:
    """Set a member's password: it is asked for twice. They are signed out everywhere."""
    told = (
        typer.get_text_stream("stdin").readline().rstrip("\r\n")
        if stdin
        else typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    )
    run(_set(state, name, told))
    say(f"{name} signs in with it from now on, and is signed out wherever they were.")


async def _set(state: Path, name: str, told: str) -> None:
    from cli.installation import database

    async with database(state) as pool:
        await set_password(pool, name, told)


async def set_password(pool: "Pool", name: str, told: str) -> None:
    """Set it, by whoever types."""
    from stores.member_passwords import MemberPasswordStore, WeakPasswordError
    from stores.members import UnknownMemberError

    try:
        await MemberPasswordStore(pool).set(name, told, by=who())
    except (WeakPasswordError, UnknownMemberError) as error:
        wrong_use(f"{str(error)[:1].upper()}{str(error)[1:]}.")
