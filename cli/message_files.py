"""Messages as files: `messages/NAME.md` with its variants and markup, `blocks/NAME.liquid`, `house.yaml`."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from channels.house_words import HOUSE_BLOCK
from channels.message_bundle import Message, bundle, message_of, read_message
from channels.message_file import MessageFileError
from channels.message_style import remarks
from channels.shared_words import SharedWords, block_faults, message_faults
from cli.landscape_files import text_of
from journey.document import InvalidDocumentError, Problem
from journey.house_voice import HouseVoice, read_house
from journey.landscape import Landscape
from journey.message_names import given_to, not_given
from journey.program import Program

BLOCKS, HOUSE = "blocks", "house.yaml"
_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")


@dataclass(slots=True)
class CheckedMessages:
    """Messages that passed, with their sources; `where` each file of one is; what is shared, as given."""

    messages: dict[str, tuple[Message, str]] = field(default_factory=dict[str, tuple[Message, str]])
    blocks: dict[str, str] = field(default_factory=dict[str, str])
    voice: HouseVoice | None = None
    folders: dict[str, Path] = field(default_factory=dict[str, Path])
    problems: list[Problem] = field(default_factory=list[Problem])
    warnings: list[Problem] = field(default_factory=list[Problem])


def files_beside(path: Path) -> list[Path]:
    """All files of the message that a file belongs to."""
    name, folder = message_of(path.name), path.parent
    found = [*folder.glob(f"{name}.md"), *folder.glob(f"{name}.*.md")]
    found += [*folder.glob(f"{name}.mjml"), *folder.glob(f"{name}.*.mjml")]
    return sorted(found)


def shared_around(folder: Path) -> list[Path]:
    """The blocks and the house's voice of a folder `messages`, and of the one above: the nearer first."""
    above = folder.resolve().parent.parent / "messages"
    found: list[Path] = []
    for level in (folder, above):
        found += sorted((level / BLOCKS).glob("*.liquid"))
        found += [path for path in [level / HOUSE] if path.is_file()]
    return found


def check_messages(
    paths: Sequence[Path], given: Sequence[Path], live: SharedWords | None
) -> CheckedMessages:
    """Read messages and check them with the blocks and the voice `given`.

    Beside those stand what is `live`, or, where that is not known, what lies around.
    """
    checked = CheckedMessages()
    for path in dict.fromkeys(given):
        _read_shared(path, checked, checked)
    for folder, name in dict.fromkeys((path.parent, message_of(path.name)) for path in paths):
        _read_message(folder, name, checked)
    for path in dict.fromkeys(given):
        if path.suffix == ".liquid" and path.stem in checked.blocks:
            known = _known(path.parent.parent, checked, live)
            for line, words, remedy in block_faults(path.stem, checked.blocks[path.stem], known):
                checked.problems.append(_problem(path, line, words, remedy))
    for name, (message, _) in checked.messages.items():
        folder = checked.folders[name]
        known = _known(folder, checked, live)
        for file, line, words, remedy in message_faults(message, known):
            checked.problems.append(_problem(_file(folder, file), line, words, remedy))
        for file, line, words, remedy in remarks(message, known):
            checked.warnings.append(_problem(_file(folder, file), line, words, remedy))
    return checked


def name_problems(
    checked: CheckedMessages, program: Program, landscape: Landscape | None
) -> Iterator[tuple[Problem, bool]]:
    """What messages name and a journey does not give; True where that can never be put into words."""
    for given in given_to(program, landscape):
        if given.message not in checked.messages:
            continue
        message, folder = checked.messages[given.message][0], checked.folders[given.message]
        for file in message.files:
            for name, line, guarded in sorted(file.variables):
                root = name.partition(".")[0]
                fault = None if root in ("house", "data") else not_given(given, name)
                if fault is None or (guarded and root != "run"):
                    continue
                words = f"{fault[0]} ({given.address} of {program.definition.journey} sends it)"
                path = _file(folder, file.name)
                yield _problem(path, line, words, fault[1]), not guarded


def _known(folder: Path, checked: CheckedMessages, live: SharedWords | None) -> SharedWords:
    """What a message of a folder may use."""
    if live is not None:
        return SharedWords(
            blocks={**live.blocks, **checked.blocks}, voice=checked.voice or live.voice
        )
    around = CheckedMessages()
    for path in shared_around(folder):
        _read_shared(path, around, checked)
    return SharedWords(
        blocks={**around.blocks, **checked.blocks}, voice=checked.voice or around.voice
    )


def _read_shared(path: Path, into: CheckedMessages, told: CheckedMessages) -> None:
    """Read a block or the voice; the first of a name stays."""
    text = text_of(path)
    if isinstance(text, Problem):
        _once(told, text)
    elif path.suffix == ".liquid":
        if not _NAME.fullmatch(path.stem) or path.stem == HOUSE_BLOCK:
            words = f"{path.stem!r} is no name for a block"
            _once(told, _problem(path, 1, words, "use small letters and dashes, such as footer"))
        into.blocks.setdefault(path.stem, text)
    elif into.voice is None:
        try:
            into.voice = read_house(text, str(path))
        except InvalidDocumentError as error:
            for problem in error.problems:
                _once(told, problem)


def _once(checked: CheckedMessages, problem: Problem) -> None:
    if problem not in checked.problems:
        checked.problems.append(problem)


def _read_message(folder: Path, name: str, checked: CheckedMessages) -> None:
    files: dict[str, str] = {}
    for path in files_beside(folder / f"{name}.md"):
        text = text_of(path)
        if isinstance(text, Problem):
            checked.problems.append(text)
            return
        files[path.name] = text
    source = bundle(files)
    try:
        checked.messages[name] = (read_message(name, source), source)
        checked.folders[name] = folder
    except MessageFileError as error:
        path = _file(folder, error.name)
        checked.problems.append(_problem(path, error.line, error.problem, error.remedy))


def _file(folder: Path, name: str) -> Path:
    return folder / (name if name.endswith(".mjml") else f"{name}.md")


def _problem(path: Path, line: int, message: str, remedy: str) -> Problem:
    remedy = remedy[:1].lower() + remedy[1:].rstrip(".")
    return Problem(file=str(path), line=line, column=1, path="", message=message, remedy=remedy)
