"""The house's voice as templates see it: `house.greeting` and `house.signature` are words by then."""

from collections.abc import Mapping
from datetime import datetime
from typing import cast

from pydantic import JsonValue

from channels.liquid_text import LiquidText
from journey.house_voice import HouseVoice
from journey.message_variant import locales_of

HOUSE_BLOCK = "house"
"""The name under which the voice is published among the blocks."""


def voice_of(shared: Mapping[str, JsonValue]) -> HouseVoice | None:
    """The house's voice among what was published, where there is one."""
    said = shared.get(HOUSE_BLOCK)
    if not isinstance(said, dict):
        return None
    # What a newer Clew published may say more than this one knows.
    known = {name: value for name, value in said.items() if name in HouseVoice.model_fields}
    return HouseVoice.model_validate(known)


def blocks_of(shared: Mapping[str, JsonValue]) -> dict[str, str]:
    """The texts of the blocks that were published, by name."""
    return {
        name: str(source["text"])
        for name, source in shared.items()
        if name != HOUSE_BLOCK and isinstance(source, dict) and "text" in source
    }


def house_words(
    voice: HouseVoice,
    locale: str | None,
    values: Mapping[str, JsonValue],
    now: datetime,
    liquid: LiquidText,
) -> dict[str, JsonValue]:
    """What a template may name as `house`, in this language. Raises: `MessageCannotRenderError`."""
    plain: dict[str, JsonValue] = {
        "name": voice.name,
        "postal_address": voice.postal_address,
        "email": voice.email,
        "locale": locale or voice.locale,
        "colours": cast("JsonValue", dict(voice.colours)),
    }
    told = {**values, "house": plain}
    greeting = next(
        (
            voice.greeting[language]
            for language in (*locales_of(locale), *locales_of(voice.locale))
            if language in voice.greeting
        ),
        "",
    )
    return {
        **plain,
        "greeting": liquid.render(greeting, told, now),
        "signature": liquid.render(voice.signature, told, now),
    }
