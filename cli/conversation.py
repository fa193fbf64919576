"""`clew conversation`: what a customer was sent and what they wrote, in one order."""

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
    wrong_use,
)

if TYPE_CHECKING:
    from stores.conversations import Spoken

SHOWN = 300
"""Characters of a message that are shown in the table; `--json` has them all."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("conversation")(conversation)


def conversation(
    customer: Annotated[
        str | None, typer.Argument(help="The customer: our id, or any name they are known by.")
    ] = None,
    strangers: Annotated[
        bool, typer.Option("--strangers", help="What came from people whom nobody knows.")
    ] = False,
    most: Annotated[int, typer.Option(help="How many at most.", min=1, max=500)] = 50,
    state: State = STATE,
    as_json: AsJson = False,
) -> None:
    """Show what a customer was sent and what they wrote, the newest last."""
    if strangers == (customer is not None):
        wrong_use("Name a customer, or ask for --strangers.")
    found = run(_read(state, customer, most))
    if as_json:
        print_json(found)
        return
    print_table(
        ("at", "", "channel", "address", "message", "what became of it", "answers", "files"),
        [
            (
                one.at,
                "→" if one.way == "out" else "←",
                one.channel,
                one.address,
                _words(one),
                f"{one.state}: {one.reason}"
                if one.reason and one.reason != one.state
                else one.state,
                one.delivery if one.way == "in" else None,
                [str(file["name"]) for file in one.files],
            )
            for one in found
        ],
    )


async def _read(state: Path, customer: str | None, most: int) -> "list[Spoken]":
    from cli.installation import database
    from stores.conversations import ConversationStore
    from stores.customers import CustomerStore

    async with database(state) as pool:
        store = ConversationStore(pool)
        if customer is None:
            return await store.strangers(most)
        found = await CustomerStore(pool).find(customer)
        if found is None:
            raise CommandError(f"Nobody is known by {customer}.")
        return await store.of(found.customer, most)


def _words(one: "Spoken") -> str:
    heading = ": ".join(each for each in (one.message, one.subject) if each)
    text = one.text if len(one.text) <= SHOWN else f"{one.text[:SHOWN]}…"
    return "\n".join(each for each in (heading, text) if each)
