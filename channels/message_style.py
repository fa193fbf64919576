"""What may be published and should be looked at: words the house does not use, what shouts, what costs."""

import re
from collections.abc import Iterator

from channels.message_bundle import Message
from channels.message_file import MessageFile
from channels.shared_words import SharedWords
from journey.message_variant import TEXT_CHANNELS
from journey.text_segments import ALPHABETS, segments

_LIVE = re.compile(r"\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
_IMAGE = re.compile(r"<(?:img|mj-image)\b[^>]*>", re.IGNORECASE)
_ALT = re.compile(r"\balt\s*=", re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>", re.DOTALL)
_LETTERS = re.compile(r"[^\W\d_]{2,}")

Remark = tuple[str, int, str, str]
"""A file of a message, a line in it, what to look at and why or what to do."""


def remarks(message: Message, shared: SharedWords) -> Iterator[Remark]:
    """What to look at in a message, file by file."""
    for file in message.files:
        yield from _never(file, shared)
        yield from _loud(file)
        yield from _images(file)
        yield from _costly(file)
        yield from _address(message, file, shared)
    yield from _without_language(message)


def _never(file: MessageFile, shared: SharedWords) -> Iterator[Remark]:
    never = shared.voice.never if shared.voice else []
    for template, first, _ in file.parts():
        for number, line in enumerate(_said(template).split("\n")):
            for words in never:
                if re.search(rf"(?<!\w){re.escape(words)}(?!\w)", line, re.IGNORECASE):
                    place = first + number
                    yield (
                        file.name,
                        place,
                        f"the house never says {words!r}",
                        "say it in your own words",
                    )


def _loud(file: MessageFile) -> Iterator[Remark]:
    subject = _said(file.subject or "")
    letters = "".join(_LETTERS.findall(subject))
    if len(letters) > 3 and letters.isupper():
        yield (
            file.name,
            file.subject_line,
            "the subject is all capitals",
            "nobody likes to be shouted at",
        )
    count = (subject + file.text).count("!")
    if count > 1:
        yield file.name, file.subject_line, f"{count} exclamation marks", "one is loud enough"


def _images(file: MessageFile) -> Iterator[Remark]:
    for found in _IMAGE.finditer(file.html.html if file.html else ""):
        if not _ALT.search(found.group()) and file.html is not None:
            before = file.html.html[: found.start()]
            line, column = before.count("\n") + 1, found.start() - before.rfind("\n")
            place = file.html_line + file.html.written_on(line, column) - 1
            remedy = 'write alt="what it shows", or alt="" where it shows nothing'
            yield file.html_name, place, "an image has no alt text", remedy


def _costly(file: MessageFile) -> Iterator[Remark]:
    if "sms" not in file.variant.channels:
        return
    text = _LIVE.sub("", file.text).strip()
    counted = segments(text)
    if counted.costly and counted.alphabet == "UCS-2":
        letters = " ".join(counted.costly[:5])
        alone = ALPHABETS["UCS-2"][0]
        words = f"{letters} makes a text message hold {alone} letters, not {ALPHABETS['GSM-7'][0]}"
        yield file.name, file.text_line, words, "write it without, if it can be"
    if counted.count > 1:
        words = f"{counted.count} text messages each time, before anything is filled in"
        yield file.name, file.text_line, words, f"{counted.places} places in {counted.alphabet}"


def _address(message: Message, file: MessageFile, shared: SharedWords) -> Iterator[Remark]:
    voice = shared.voice
    if message.purpose != "marketing" or voice is None or not voice.postal_address:
        return
    if file.variant.channels and file.variant.channels <= TEXT_CHANNELS:
        return
    said = {name for name, _, _ in file.variables}
    in_blocks = any(
        "house.postal_address" in shared.blocks.get(name, "") for name, _ in file.blocks
    )
    in_layout = file.html is None and "house.postal_address" in shared.blocks.get("layout", "")
    if "house.postal_address" not in said and not in_blocks and not in_layout:
        remedy = "add {{ house.postal_address }}, or put it into a block"
        yield file.name, file.subject_line, "marketing does not name our postal address", remedy


def _without_language(message: Message) -> Iterator[Remark]:
    """A language that is there for any channel, and not for one that has files of its own."""
    base = message.files[0].variant.locale
    general = {file.variant.locale for file in message.files if not file.variant.channels}
    for channel in sorted({each for file in message.files for each in file.variant.channels}):
        own = {
            file.variant.locale or base
            for file in message.files
            if channel in file.variant.channels
        }
        for locale in sorted(filter(None, general - own - {base})):
            first = next(f for f in message.files if channel in f.variant.channels)
            words = f"by {channel}, who reads {locale} gets it in the language of the base"
            yield first.name, 2, words, f"write {message.name}.{channel}.{locale}.md"


def _said(template: str) -> str:
    """The words of a template, on their lines."""
    quiet = _LIVE.sub(lambda found: "\n" * found.group().count("\n"), template)
    return _TAG.sub(lambda found: "\n" * found.group().count("\n"), quiet)
