"""Messages for looking at: from files or from the installation, and with which values."""

from pathlib import Path
from typing import Any

from activities.message_text import PublishedMessage
from channels.message_bundle import bundle, message_of, read_message
from channels.message_file import MessageFileError, revision_of
from channels.shared_words import SharedWords
from cli.landscape_files import text_of
from cli.message_files import files_beside, shared_around
from cli.output import FAILED, WRONG_USE, CommandError
from journey.document import InvalidDocumentError, Problem
from journey.house_voice import read_house

EXAMPLE = ".example.yaml"
"""How a file of values ends that a message is looked at with: `messages/NAME.example.yaml`."""


def message_beside(path: Path) -> PublishedMessage:
    """The message of a file with all its variants, and what lies around it. Raises: `CommandError`."""
    name = message_of(path.name)
    source = bundle({each.name: _text(each) for each in files_beside(path)})
    try:
        read_message(name, source)
    except MessageFileError as error:
        raise CommandError(str(error), FAILED) from None
    blocks: dict[str, str] = {}
    voice = None
    for each in shared_around(path.parent):
        if each.suffix == ".liquid":
            blocks.setdefault(each.stem, _text(each))
        elif voice is None:
            try:
                voice = read_house(_text(each), str(each))
            except InvalidDocumentError as error:
                raise CommandError(str(error), FAILED) from None
    shared = SharedWords(blocks=blocks, voice=voice).published()
    return PublishedMessage(name=name, revision=revision_of(source), source=source, shared=shared)


def example_values(path: Path) -> dict[str, Any]:
    """The values of `NAME.example.yaml` beside a message, or none. Raises: `CommandError`."""
    from journey.document import read_document

    file = path.with_name(f"{message_of(path.name)}{EXAMPLE}")
    if not file.is_file():
        return {}
    try:
        data = read_document(_text(file), str(file)).data
    except InvalidDocumentError as error:
        raise CommandError(str(error), FAILED) from None
    if not isinstance(data, dict):
        raise CommandError(f"{file}: write run:, event:, customer: with their values.", FAILED)
    return data  # pyright: ignore[reportUnknownVariableType] -- JSON has text for names


def _text(path: Path) -> str:
    text = text_of(path)
    if isinstance(text, Problem):
        raise CommandError(str(text), WRONG_USE)
    return text
