"""Blocks and the house's voice, held against the messages that use them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from activities.message_text import MessageCannotRenderError
from channels.house_words import HOUSE_BLOCK
from channels.liquid_text import LiquidText
from channels.message_bundle import Message
from channels.message_renderer import LAYOUT
from journey.house_voice import HouseVoice

_HOUSE = frozenset(
    {"name", "postal_address", "email", "locale", "colours", "greeting", "signature"}
)


@dataclass(slots=True, frozen=True, kw_only=True)
class SharedWords:
    """The blocks that there are, by name, and how the house speaks, if it says so."""

    blocks: Mapping[str, str] = field(default_factory=dict[str, str])
    voice: HouseVoice | None = None

    def published(self) -> dict[str, JsonValue]:
        """As a message that is live comes with them."""
        shared: dict[str, JsonValue] = {name: {"text": text} for name, text in self.blocks.items()}
        if self.voice is not None:
            shared[HOUSE_BLOCK] = self.voice.model_dump(mode="json")
        return shared


Fault = tuple[str, int, str, str]
"""A file of a message, a line in it, what is wrong and the remedy."""


def block_faults(name: str, text: str, shared: SharedWords) -> Iterator[tuple[int, str, str]]:
    """What is wrong with a block: line, problem, remedy."""
    liquid = LiquidText()
    if name == HOUSE_BLOCK:
        yield 1, "house is the voice of the house", "give the block another name"
    try:
        for html in (False, True):
            liquid.variables(text, html=html)
        used = liquid.blocks(text)
    except MessageCannotRenderError as error:
        yield error.line, error.problem, error.remedy
        return
    for other, (line, _) in used:
        if other not in shared.blocks:
            yield line, f"there is no block {other!r}", _there_are(shared)
        elif name in _reached(other, shared):
            yield line, f"block {name!r} puts itself in", "write out what belongs in both"


def message_faults(message: Message, shared: SharedWords) -> Iterator[Fault]:
    """What a message uses of what it shares, and is not there."""
    voice = shared.voice
    for file in message.files:
        for name, line in sorted(file.blocks):
            if name not in shared.blocks:
                yield file.name, line, f"there is no block {name!r}", _there_are(shared)
        for name, line, guarded in sorted(file.variables):
            root, *rest = name.split(".")
            if root == "data" and rest and rest[0] not in {each.name for each in file.data}:
                remedy = f"write data: {{{rest[0]}: {{url: …, take: body…}}}}"
                yield file.name, line, f"data.{rest[0]} is not read", remedy
            if root != "house" or guarded:
                continue
            if voice is None:
                yield file.name, line, f"{name} is not known", "write messages/house.yaml"
            elif rest and rest[0] not in _HOUSE:
                yield file.name, line, f"there is no {name}", f"there are {_listed(_HOUSE)}"
            elif rest[:1] == ["colours"] and rest[1:] and rest[1] not in voice.colours:
                remedy = f"there are {_listed(frozenset(voice.colours))}"
                yield file.name, line, f"house.yaml has no colour {rest[1]!r}", remedy
        if file.calendar and file.calendar.method == "request" and not (voice and voice.email):
            remedy = "write email: in messages/house.yaml, or method: publish"
            yield file.name, file.calendar.line, "nobody invites", remedy


def _reached(name: str, shared: SharedWords) -> set[str]:
    """A block and all that it puts in, blocks in blocks too."""
    seen: set[str] = set()
    heap = [name]
    while heap:
        block = heap.pop()
        if block in seen or block not in shared.blocks:
            continue
        seen.add(block)
        try:
            heap += [used for used, _ in LiquidText().blocks(shared.blocks[block])]
        except MessageCannotRenderError:
            continue  # said where that block is looked at itself
    return seen


def _there_are(shared: SharedWords) -> str:
    known = _listed(frozenset(shared.blocks) - {LAYOUT})
    return f"write messages/blocks/NAME.liquid and publish it with this; there are {known}"


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names)) or "none so far"
