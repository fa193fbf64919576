"""Each variant of a message, and whether it can be put into words with what a run gives."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from pydantic import JsonValue

from activities.message_text import MessageCannotRenderError, PublishedMessage, RenderFor
from channels.liquid_text import LiquidText
from channels.message_bundle import read_message
from channels.message_file import MessageFile, MessageFileError
from channels.message_renderer import MessageFileRenderer


def each_variant(message: PublishedMessage) -> Iterator[tuple[RenderFor, MessageFile]]:
    """Each file of a message, and who would get it."""
    for file in read_message(message.name, message.source).files:
        variant = file.variant
        channel = min(variant.channels, default="email")
        tone = min(variant.tones, default=None)
        yield RenderFor(channel=channel, locale=variant.locale, feeling=tone, run="preview"), file


def stand_in_data(file: MessageFile) -> dict[str, JsonValue]:
    """What a message reads, as it is where nobody answers: nothing is called to look at it."""
    return {
        each.name: f"({each.name})" if each.otherwise is None else each.otherwise
        for each in file.data
    }


def message_fault(message: PublishedMessage, values: Mapping[str, JsonValue]) -> str | None:
    """Why a message cannot be put into words, if it cannot.

    Every variant is tried, in its own language, by its own channel and for its own feeling.
    """
    try:
        for whom, read in each_variant(message):
            given = {**values, "data": stand_in_data(read)}
            MessageFileRenderer().render(message, given, datetime.now(UTC), whom)
    except (MessageCannotRenderError, MessageFileError) as error:
        return str(error)
    return None


def in_words(template: str, values: Mapping[str, JsonValue]) -> str:
    """What is shown at a place, as the customer reads it."""
    try:
        return LiquidText().render(template, values, datetime.now(UTC))
    except MessageCannotRenderError as error:
        return f"(cannot be put into words: {error})"


def brief_fault(template: str, values: Mapping[str, JsonValue]) -> str | None:
    """Why a brief cannot be put into words, if it cannot."""
    try:
        LiquidText().render(template, values, datetime.now(UTC))
    except MessageCannotRenderError as error:
        return str(error)
    return None
