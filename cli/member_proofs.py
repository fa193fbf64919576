"""`clew members reset-factor` and `sign-out`: a member lost their phone, or is to be out at once."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from cli.deeds import who
from cli.history_keys import masters
from cli.output import STATE, State, run, say, wrong_use

if TYPE_CHECKING:
    from contracts.sealing import MasterKeys
    from stores.database import Pool

Result = TypeVar("Result")


def add_to(group: typer.Typer) -> None:
    """Add the commands to those of members."""
    group.command("reset-factor")(reset_factor)
    group.command("sign-out")(sign_out)


def reset_factor(
    name: Annotated[str, typer.Argument(help="The member, such as eva.")], state: State = STATE
) -> None:
    """A member lost their second factor: they set up a new one when they sign in. They are signed out everywhere.

    Whoever asks for it has to prove who they are as they did when they began to work here.
    """
    keys = masters(state)
    run(_with(state, lambda pool: reset_second_factor(pool, keys, name)))
    say(f"{name} is signed out, and sets up a second factor at the next sign-in.")


def sign_out(
    name: Annotated[str | None, typer.Argument(help="The member, such as eva.")] = None,
    everybody: Annotated[bool, typer.Option("--everybody", help="All of staff.")] = False,
    state: State = STATE,
) -> None:
    """End every session of a member, or of everybody: they sign in again."""
    if (name is None) != everybody:
        wrong_use("Name a member, or say --everybody.")
    ended = run(_with(state, lambda pool: sign_out_of_staff(pool, name)))
    say(f"{ended} sessions were ended.")


async def reset_second_factor(pool: "Pool", keys: "MasterKeys", name: str) -> None:
    """Reset it, by whoever types."""
    from stores.members import UnknownMemberError
    from stores.second_factors import NoSecondFactorError, SecondFactorStore

    try:
        await SecondFactorStore(pool, keys, _now).reset(name, by=who())
    except (UnknownMemberError, NoSecondFactorError) as error:
        wrong_use(f"{str(error)[:1].upper()}{str(error)[1:]}.")


async def sign_out_of_staff(pool: "Pool", name: str | None) -> int:
    """End sessions of a member, of everybody without a name; how many there were."""
    from stores.members import UnknownMemberError
    from stores.staff_sign_ins import SignInStore

    store = SignInStore(pool, _now)
    try:
        return await (store.end_all(name, by=who()) if name else store.end_everybodys(by=who()))
    except UnknownMemberError as error:
        wrong_use(f"{str(error)[:1].upper()}{str(error)[1:]}.")


async def _with(state: Path, act: "Callable[[Pool], Awaitable[Result]]") -> Result:
    from cli.installation import database

    async with database(state) as pool:
        return await act(pool)


def _now() -> datetime:
    return datetime.now(UTC)
