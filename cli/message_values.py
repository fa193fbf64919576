"""A message in hand, with values that are true to life: of an example, a scenario, a customer."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.output import FAILED, WRONG_USE, CommandError, run

if TYPE_CHECKING:
    from activities.message_text import MessageInWords, PublishedMessage, RenderFor


def looked_up(
    message: str,
    state: Path,
    *,
    customer: str | None,
    journey: str | None,
    values: Path | None,
) -> "tuple[PublishedMessage, dict[str, Any], str | None]":
    """The message, what it is filled in with, and the customer's language. Raises: `CommandError`."""
    from channels.message_samples import filled_in
    from cli.message_sources import example_values, message_beside
    from cli.scenario_values import scenario_values

    path = Path(message)
    given: dict[str, Any] = {}
    if path.suffix == ".md":
        if not path.is_file():
            raise CommandError(f"{path}: there is no such file.", WRONG_USE)
        found = message_beside(path)
        given = example_values(path) or scenario_values(path, found.name, journey)
    else:
        found = run(_live(message, state))
    if values is not None:
        given = {**given, **_written(values)}
    traits, language = run(_customer(customer, state)) if customer else ({}, None)
    return found, filled_in(given, traits), language


def in_words(
    message: "PublishedMessage", given: Mapping[str, Any], whom: "RenderFor"
) -> "MessageInWords":
    """The words for these values; what is read right before sending stands in brackets."""
    from activities.message_text import MessageCannotRenderError
    from channels.message_renderer import MessageFileRenderer
    from channels.message_samples import sampled

    values = sampled(message, given)
    renderer, address = MessageFileRenderer(), "anna@example.com"
    try:
        return renderer.render(
            message, values, datetime.now(UTC), replace(whom, address=whom.address or address)
        )
    except MessageCannotRenderError as error:
        remedy = f"To look at it, write what is missing into {message.name}.example.yaml beside it."
        raise CommandError(f"{error} {remedy}", FAILED) from None


async def _live(name: str, state: Path) -> "PublishedMessage":
    from cli.installation import database
    from stores.messages import MessageStore

    async with database(state) as pool:
        found = await MessageStore(pool).live(name)
        if found is None:
            known = ", ".join(await MessageStore(pool).names()) or "none so far"
            words = f"No message {name!r} is live. There are: {known}. A file ends in .md."
            raise CommandError(words, WRONG_USE)
        return found


async def _customer(identity: str, state: Path) -> tuple[dict[str, Any], str | None]:
    """Their traits, and the language they are written to in."""
    from cli.installation import database
    from stores.customers import CustomerStore
    from stores.delivery_facts import CustomerNow
    from stores.preferences import PreferenceStore

    async with database(state) as pool:
        found = await CustomerStore(pool).find(identity)
        if found is None:
            raise CommandError(f"Nobody is known as {identity!r}.", WRONG_USE)
        now = CustomerNow(customer=found.customer, traits=found.traits, zone=found.zone)
        return now.values(), now.language(await PreferenceStore(pool).of(found.customer))


def _written(path: Path) -> dict[str, Any]:
    from journey.document import InvalidDocumentError, read_document

    try:
        data = read_document(path.read_text(encoding="utf-8"), str(path)).data
    except (OSError, UnicodeDecodeError, InvalidDocumentError) as error:
        raise CommandError(f"{path}: cannot be read: {error}", WRONG_USE) from None
    if not isinstance(data, dict):
        raise CommandError(f"{path}: write run:, event:, customer: with their values.", WRONG_USE)
    return data  # pyright: ignore[reportUnknownVariableType] -- JSON has text for names
