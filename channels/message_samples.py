"""A message to be looked at before anybody gets it: its files, and what stands in for what is not known."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from pydantic import JsonValue

from activities.message_text import (
    MessageCannotRenderError,
    MessageInWords,
    MessageRenderer,
    PublishedMessage,
    RenderFor,
)
from channels.house_words import voice_of
from channels.liquid_text import LiquidText
from channels.message_bundle import files_of, read_message
from channels.message_file import FIELDS, MessageFile
from channels.message_matter import read_matter
from channels.message_variants import each_variant, stand_in_data
from journey.document import InvalidDocumentError, Problem, read_document
from journey.effects import Purpose
from journey.message_variant import Variant, choose_variant

_NOT_SAID = frozenset({"house", "data", "survey", "now"})
"""What a message may name that is there whoever gets it."""

_OF_NUMBERS = frozenset({"money", "plus", "minus", "times", "divided_by", "round"})
_SURVEY: dict[str, JsonValue] = {"link": "https://example.com/s#…", "name": "survey"}


@dataclass(slots=True, frozen=True, kw_only=True)
class Looked:
    """A message as it reads. `missing`: what nobody gave, in whose place `‹name›`, the moment, a 0 or nothing stands.

    `words` is None where it cannot be put into words even so; `problem` says why, with place and remedy.
    """

    words: MessageInWords | None
    missing: tuple[str, ...] = ()
    problem: str = ""


def filled_in(values: Mapping[str, Any], traits: Mapping[str, Any]) -> dict[str, Any]:
    """Values with a customer's own traits over those of the example."""
    customer = values.get("customer")
    return {**values, "customer": {**(customer if isinstance(customer, dict) else {}), **traits}}


@dataclass(slots=True, frozen=True, kw_only=True)
class Written:
    """One file of a message: its name, whom it is for, and its subject as its author wrote it."""

    name: str
    variant: Variant
    subject: str
    purpose: Purpose | None


def written(message: PublishedMessage) -> list[Written]:
    """Each file, the base first, by its front matter alone: nothing is compiled. Raises: `MessageFileError`."""
    files = files_of(message.name, message.source)
    texts = [each for each in files if each.endswith(".md")]
    found: list[Written] = []
    for each in sorted(texts, key=lambda each: (each != f"{message.name}.md", each)):
        stem = each.removesuffix(".md")
        matter = read_matter(stem, files[each], FIELDS)
        found.append(
            Written(
                name=each,
                variant=matter.variant(),
                subject=matter.text_of("subject") or "",
                purpose=matter.purpose(),
            )
        )
    return found


def sampled(message: PublishedMessage, given: Mapping[str, Any]) -> dict[str, JsonValue]:
    """What is given, with what is read before a message leaves as it is where nobody answers."""
    data: dict[str, JsonValue] = {}
    for _, file in each_variant(message):
        data |= stand_in_data(file)
    return {"survey": _SURVEY, "data": data, **given}


def read_values(text: str, name: str) -> dict[str, Any]:
    """Values as YAML. Raises: `InvalidDocumentError` naming place and remedy."""
    if not text.strip():
        return {}
    data = read_document(text, name, begins="run: {…}").data
    if not isinstance(data, dict):
        remedy = "write run:, event:, customer: with their values"
        raise InvalidDocumentError(
            [
                Problem(
                    file=name, line=1, column=1, path="", message="holds no values", remedy=remedy
                )
            ]
        )
    return cast("dict[str, Any]", data)


def looked_at(
    renderer: MessageRenderer,
    message: PublishedMessage,
    given: Mapping[str, Any],
    whom: RenderFor,
    now: datetime,
) -> Looked:
    """A message in words, whatever is missing. Raises: `MessageFileError` for one that cannot be read at all."""
    values = sampled(message, given)
    file = _file_for(message, whom)
    missing: list[str] = []
    for name in _needed(file):
        if name.partition(".")[0] in _NOT_SAID or _has(values, name):
            continue
        missing.append(name)
        _put(values, name, _stand_in(file, name, now))
    try:
        words = renderer.render(message, values, now, whom)
    except (MessageCannotRenderError, InvalidDocumentError) as error:
        return Looked(words=None, missing=tuple(missing), problem=str(error))
    return Looked(words=words, missing=tuple(missing))


def _file_for(message: PublishedMessage, whom: RenderFor) -> MessageFile:
    """The file that the renderer chooses for them."""
    files, voice = read_message(message.name, message.source).files, voice_of(message.shared)
    variants = [each.variant for each in files]
    locale = voice.locale if voice else None
    return files[choose_variant(variants, whom.channel, whom.locale, whom.feeling, locale).index]


def _needed(file: MessageFile) -> list[str]:
    """What it cannot do without, also in a subject that is another file's."""
    names = {name for name, _, guarded in file.variables if not guarded}
    return sorted(
        names | {each.name for each in LiquidText().places(file.subject or "") if not each.guarded}
    )


def _stand_in(file: MessageFile, name: str, now: datetime) -> JsonValue:
    """A moment or a number where one is asked for, nothing to go through where that is, else its name."""
    calendar = file.calendar
    moments = [calendar.starts, calendar.ends or ""] if calendar is not None else []
    templates = " ".join([file.subject or "", *(template for template, _, _ in file.parts())])
    if re.search(rf"\bin\s+{re.escape(name)}\b", templates):
        return []
    filters = set(re.findall(rf"\b{re.escape(name)}\s*\|\s*(\w+)", templates))
    if any(name in each for each in moments) or {"time", "date"} & filters:
        return now.isoformat()
    return "0" if _OF_NUMBERS & filters else f"‹{name}›"


def _has(values: Mapping[str, Any], name: str) -> bool:
    here: Any = values
    for part in name.split("."):
        if not isinstance(here, dict) or part not in here:
            return False
        here = cast("dict[str, Any]", here)[part]
    return True


def _put(values: dict[str, Any], name: str, value: JsonValue) -> None:
    """Put a value at its dotted place, changing nothing that was given; where something else stands, not at all."""
    *above, last = name.split(".")
    here = values
    for part in above:
        inner = here.get(part, {})
        if not isinstance(inner, dict):
            return
        here[part] = dict(cast("dict[str, Any]", inner))
        here = here[part]
    here.setdefault(last, value)
