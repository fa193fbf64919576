"""`clew send-test`: a message to oneself, through the channel that customers get theirs by."""

from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer

from cli.installation import database
from cli.output import FAILED, STATE, WRONG_USE, AsJson, CommandError, State, print_json, run, say
from cli.preview import Channel, Customer, Feeling, Journey, Locale, Message, Values

if TYPE_CHECKING:
    from activities.message_channel import MessageChannel, RenderedMessage
    from activities.message_text import MessageInWords, PublishedMessage

MARK = "[test]"
"""What such a message begins with, so that nobody takes it for a customer's."""

_To = Annotated[
    str,
    typer.Option(
        "--to",
        help="Your own address on that channel; of webpush the subscription as the browser tells it.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("send-test")(send_test)


def send_test(
    message: Message,
    to: _To,
    channel: Channel = "email",
    customer: Customer = None,
    journey: Journey = None,
    locale: Locale = None,
    feeling: Feeling = None,
    values: Values = None,
    state: State = STATE,
    as_json: AsJson = False,
) -> None:
    """Send a message to yourself through the installation's channel. It stands in no ledger."""
    from activities.message_text import RenderFor
    from cli.message_values import in_words, looked_up

    found, given, language = looked_up(
        message, state, customer=customer, journey=journey, values=values
    )
    whom = RenderFor(
        channel=channel, locale=locale or language, feeling=feeling, run="test", address=to
    )
    words = in_words(found, given, whom)
    provider_id = run(_send(rendered(found, words, to, channel), channel, state))
    if as_json:
        print_json({"channel": channel, "to": to, "provider_id": provider_id})
    else:
        say(f"Sent to {to} by {channel}, marked {MARK}.")


def rendered(
    message: "PublishedMessage", words: "MessageInWords", to: str, channel: str = "email"
) -> "RenderedMessage":
    """The message as it leaves, marked so that nobody takes it for a customer's.

    Whoever tests WhatsApp is taken to have written to the sender a moment ago.
    """
    from activities.message_channel import RenderedMessage
    from channels.message_renderer import MessageFileRenderer

    address, keys = _subscription(to) if channel == "webpush" else (to, {})
    return RenderedMessage(
        key=f"send-test:{uuid4()}",
        customer=to if channel == "inbox" else "send-test",
        address=address,
        address_keys=keys,
        in_conversation=channel == "whatsapp",
        purpose=MessageFileRenderer().purpose(message) or "service",
        subject=f"{MARK} {words.subject}".strip(),
        text=f"{MARK} {words.text}" if words.html is None else words.text,
        html=words.html,
        at=datetime.now(UTC),
        locale=words.locale,
        attachments=words.attachments,
    )


def _subscription(told: str) -> tuple[str, dict[str, str]]:
    """The address and keys of a browser, from what its `PushSubscription.toJSON()` gives."""
    from contracts.push_subscription import push_subscription

    try:
        return push_subscription(told)
    except ValueError as error:
        raise CommandError(f"--to: {error}", WRONG_USE) from None


async def _send(message: "RenderedMessage", channel: str, state: Path) -> str:
    from channels.apprise_services import AppriseMissingError
    from workers.channels import sending_channels
    from workers.sending_to_oneself import delivery_settings, wall_clock
    from workers.settings import SettingsError

    try:
        settings = delivery_settings(state)
    except SettingsError as error:
        words = f"No installation runs here that could send: start one with `clew up`, or set what it needs. {error}"
        raise CommandError(words, WRONG_USE) from None
    async with AsyncExitStack() as parts:
        # The others need no database.
        inbox = settings.inbox == "on"
        pool = await parts.enter_async_context(database(state)) if inbox else None
        try:
            channels = await parts.enter_async_context(sending_channels(settings, pool, wall_clock))
        except (ValueError, AppriseMissingError) as error:
            raise CommandError(str(error), WRONG_USE) from None
        if channel not in channels:
            known = ", ".join(sorted(channels))
            words = f"This installation has no channel {channel!r}; it has {known}."
            raise CommandError(f"{words} docs/channels.md says how one is turned on.", WRONG_USE)
        return await _sent(channels[channel], message)


async def _sent(channel: "MessageChannel", message: "RenderedMessage") -> str:
    from activities.message_channel import (
        ProviderBusyError,
        ProviderRefusedError,
        UnknownOutcomeError,
    )

    try:
        return (await channel.send(message)).provider_id
    except ProviderRefusedError as error:
        raise CommandError(f"Refused: {error.words}", FAILED) from None
    except ProviderBusyError as error:
        raise CommandError(f"Not taken now: {error}", FAILED) from None
    except UnknownOutcomeError as error:
        raise CommandError(f"It may have been sent: {error}", FAILED) from None
