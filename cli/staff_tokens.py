"""`clew staff-tokens`: named tokens for staff and their programs, each with a role."""

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
from journey.staff_roles import ROLES

if TYPE_CHECKING:
    from journey.staff_roles import Role
    from stores.staff_tokens import StaffToken


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Who may act for staff over HTTP, and how far.", no_args_is_help=True)
    group.command("create")(create)
    group.command("list")(several)
    group.command("revoke")(revoke)
    app.add_typer(group, name="staff-tokens")


def create(
    name: Annotated[str, typer.Argument(help="Who will use it, such as console or jana.")],
    role: Annotated[str, typer.Option(help=f"One of {', '.join(ROLES)}.")],
    days: Annotated[
        int, typer.Option(min=1, max=3_650, help="For how many days it is good.")
    ] = 365,
    state: State = STATE,
    as_json: AsJson = False,
) -> None:
    """Make a token. It is shown once."""
    if role not in ROLES:
        wrong_use(f"--role: {role} is none; they are {', '.join(ROLES)}.")
    token = run(_create(state, name, role, days))
    if as_json:
        print_json({"name": name, "role": role, "staff_token": token})
        return
    print(token)
    say("Keep it: it is not shown again.")


def several(state: State = STATE, as_json: AsJson = False) -> None:
    """List the tokens, never themselves."""
    found = run(_tokens(state))
    if as_json:
        print_json(found)
        return
    columns = ("name", "role", "made (UTC)", "ends", "revoked")
    print_table(
        columns, [(t.name, t.role, t.created_at, t.expires_at, t.revoked_at) for t in found]
    )


def revoke(name: Annotated[str, typer.Argument()], state: State = STATE) -> None:
    """Accept no token of this name any more; it takes 5 seconds at most."""
    if not run(_revoke(state, name)):
        raise CommandError(
            f"No token of the name {name} is good. `clew staff-tokens list` shows them."
        )
    say(f"Revoked: {name}.")


async def _create(state: Path, name: str, role: "Role", days: int) -> str:
    from cli.installation import database
    from stores.staff_tokens import StaffTokenStore

    async with database(state) as pool:
        return await StaffTokenStore(pool).create(name, role, lasts=timedelta(days=days), by=who())


async def _tokens(state: Path) -> "list[StaffToken]":
    from cli.installation import database
    from stores.staff_tokens import StaffTokenStore

    async with database(state) as pool:
        return await StaffTokenStore(pool).tokens()


async def _revoke(state: Path, name: str) -> int:
    from cli.installation import database
    from stores.staff_tokens import StaffTokenStore

    async with database(state) as pool:
        return await StaffTokenStore(pool).revoke(name, by=who())
