"""`clew feedback`: what providers reported of messages after they left."""

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
    from stores.database import Pool
    from stores.feedback import KeptFeedback


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("feedback")(feedback)


def feedback(
    customer: Annotated[
        str | None, typer.Option("--customer", help="Of this customer's messages, by any name.")
    ] = None,
    delivery: Annotated[
        str | None, typer.Option("--delivery", help="Of one message: its key, or 12:3.")
    ] = None,
    most: Annotated[int, typer.Option(help="How many at most.", min=1)] = 50,
    state: State = STATE,
    as_json: AsJson = False,
) -> None:
    """Show what became of messages, the last first: delivered, opened, clicked, bounced, complained."""
    if (customer is None) == (delivery is None):
        wrong_use("Say whose messages (--customer) or which one (--delivery).")
    found = run(_feedback(state, customer, delivery, most))
    if as_json:
        print_json(found)
        return
    if not found:
        say("No provider has reported anything of it.")
        return
    print_table(
        ("when", "what", "message", "journey", "by", "delivery", "in the provider's words"),
        [
            (
                each.at,
                each.kind,
                each.message,
                each.journey,
                each.channel,
                _short(each),
                each.detail,
            )
            for each in found
        ],
    )


async def _feedback(
    state: Path, customer: str | None, delivery: str | None, most: int
) -> "list[KeptFeedback]":
    from cli.installation import database

    async with database(state) as pool:
        if customer is not None:
            return await _of_customer(pool, customer, most)
        return await _of_delivery(pool, delivery or "", most)


async def _of_customer(pool: "Pool", name: str, most: int) -> "list[KeptFeedback]":
    from stores.customers import CustomerStore
    from stores.feedback import FeedbackStore

    known = await CustomerStore(pool).find(name)
    if known is None:
        raise CommandError(f"Nobody is known as {name}.")
    return await FeedbackStore(pool).of_customer(known.customer, most)


async def _of_delivery(pool: "Pool", name: str, most: int) -> "list[KeptFeedback]":
    from stores.feedback import FeedbackStore

    store = FeedbackStore(pool)
    key = await store.named(name)
    if key is None:
        raise CommandError(f"There is no delivery {name}. `clew show RUN` names those of a run.")
    return await store.of_delivery(key, most)


def _short(feedback: "KeptFeedback") -> str:
    """What people call a delivery, as they do a case: `entry:n`, which no other has."""
    return ":".join(feedback.delivery.rsplit(":", 2)[-2:])
