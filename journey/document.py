"""A YAML 1.2 or JSON document with the place of everything in it.

The core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema): `on`, `yes` and `no` are
words and `1:30` is text. Anchors, aliases, tags and merge keys are refused: they hide what a
journey does, and are how small files become large ones.
"""

import re
from dataclasses import dataclass, field
from typing import Any, cast

import yaml

MAX_BYTES = 256_000
MAX_DEPTH = 60
MAX_WHOLE_NUMBER = 2**53 - 1
"""The largest that every JSON reader keeps exactly (RFC 8785)."""

_TOO_LARGE = ("the number is too large", "put it in quotes")
_QUOTES = "look at the indentation; text with : # { } [ ] & * ! in it, such as CEL, goes in quotes"

MAX_PROBLEMS = 100
"""As many are told in words."""

Path = tuple[str | int, ...]


@dataclass(slots=True, frozen=True, kw_only=True)
class Problem:
    """One thing wrong with a file: where it is, what is wrong, and what to do about it."""

    file: str
    line: int
    column: int
    path: str
    message: str
    remedy: str = ""

    def __str__(self) -> str:
        told = f"{self.file}:{self.line}:{self.column}: {self.path + ': ' if self.path else ''}{self.message}"
        return f"{told} → {self.remedy}" if self.remedy else told


class InvalidDocumentError(ValueError):
    """A file that cannot be used. `problems` name each place and remedy."""

    def __init__(self, problems: list[Problem]) -> None:
        told = [str(problem) for problem in problems[:MAX_PROBLEMS]]
        more = [f"and {len(problems) - MAX_PROBLEMS} more"] if len(problems) > MAX_PROBLEMS else []
        super().__init__("\n".join(told + more))
        self.problems = problems


@dataclass(slots=True)
class Document:
    """Plain data with the line and column (from 1) of each key and item, by path."""

    name: str
    data: Any
    places: dict[Path, tuple[int, int]] = field(default_factory=dict[Path, tuple[int, int]])
    lines: list[str] = field(default_factory=list[str])
    """The file as it is written."""
    texts: dict[Path, tuple[int, int, int]] = field(
        default_factory=dict[Path, tuple[int, int, int]]
    )
    """Where each text is written: the first of its lines, the one behind its last, and where it begins in the first."""

    def problem(self, path: Path, message: str, remedy: str = "") -> Problem:
        """A problem at a path; the place of the nearest enclosing thing where the path itself has none."""
        known = path
        while known and known not in self.places:
            known = known[:-1]
        line, column = self.places.get(known, (1, 1))
        return Problem(
            file=self.name,
            line=line,
            column=column,
            path=written(path),
            message=message,
            remedy=remedy,
        )

    def inside(self, path: Path, text: str, line: int, column: int) -> tuple[int, int] | None:
        """Where a line and column of the text at a path stand in the file; None where it is written otherwise there.

        So it is where lines are folded, and where characters are escaped.
        """
        at, behind, begins = self.texts.get(path, (0, 0, 0))
        found = None
        for wanted in text.split("\n")[:line]:
            while at < behind and self.lines[at].find(wanted, begins) < 0:
                at, begins = at + 1, 0
            if at >= behind:
                return None
            found = at + 1, self.lines[at].index(wanted, begins) + column
            at, begins = at + 1, 0
        return found


def written(path: Path) -> str:
    """A path as people write it: `stages[0].steps[2].wait`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else (f".{part}" if text else part)
    return text


class _CoreLoader(yaml.SafeLoader):
    """Resolves plain scalars by the core schema of YAML 1.2, and refuses what hides as soon as it comes."""

    yaml_implicit_resolvers: dict[str, Any] = {}

    def __init__(self, text: str, document: Document) -> None:
        super().__init__(text)
        self._document = document
        self._depth = self._documents = 0

    def get_event(self) -> yaml.Event:
        event = cast("yaml.Event", super().get_event())
        self._depth += isinstance(event, yaml.CollectionStartEvent)
        self._depth -= isinstance(event, yaml.CollectionEndEvent)
        self._documents += isinstance(event, yaml.DocumentStartEvent)
        fault = _what_hides(event, self._depth, self._documents)
        if fault:
            raise InvalidDocumentError([_at(self._document, event.start_mark, *fault)])
        return event


for _tag, _pattern, _first in (
    ("null", r"null|Null|NULL|~|", [*"nN~", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", [*"tTfF"]),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", [*"-+0123456789"]),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", [*"-+.0123456789"]),
):
    _CoreLoader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), _first
    )


def read_document(text: str, name: str, *, begins: str = "language: 1") -> Document:
    """Read one document; `begins`: how one of its kind does. Raises: `InvalidDocumentError` with the place."""
    document = Document(name, None)
    if text.lstrip("\ufeff \t\r\n").startswith("{"):
        text = text.replace("\t", " ")  # JSON allows tabs between things, and nowhere else
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise InvalidDocumentError(
            [document.problem((), f"larger than {MAX_BYTES:,} bytes", "split the file")]
        )
    document.lines = text.splitlines()
    try:
        node = _CoreLoader(text, document).get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise InvalidDocumentError(
            [_at(document, mark, str(error.problem or error.context or "not YAML"), _QUOTES)]
        ) from None
    except yaml.reader.ReaderError as error:
        raise InvalidDocumentError([_unreadable(error, text, document)]) from None
    if node is None:
        remedy = f"begin with {begins}"
        raise InvalidDocumentError([document.problem((), "the file is empty", remedy)])
    problems: list[Problem] = []
    document.data = _build(node, (), document, problems)
    if problems:
        raise InvalidDocumentError(problems)
    return document


def _unreadable(error: yaml.reader.ReaderError, text: str, document: Document) -> Problem:
    """A character that YAML does not allow; the place of it is told by the reader as so many from the start."""
    before = text[: error.position].split("\n")
    return Problem(
        file=document.name,
        line=len(before),
        column=len(before[-1]) + 1,
        path="",
        message=f"character U+{ord(text[error.position]):04X} is not allowed in YAML",
        remedy="take it out, and save the file as UTF-8 text",
    )


def _what_hides(event: yaml.Event, depth: int, documents: int) -> tuple[str, str] | None:
    """What an event has that is not read: message and remedy."""
    if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
        return "anchors and aliases are not read", "write it out where it is used"
    tag = getattr(event, "tag", None)
    if tag is not None:
        return f"tag {tag} is not read", _QUOTES
    if isinstance(event, yaml.DocumentStartEvent):
        if event.version not in (None, (1, 2)) or event.tags:
            return "directives are not read", "take the line with % out: journeys are YAML 1.2"
        if documents > 1:
            return "more than one document", "one file each"
    return (f"nested deeper than {MAX_DEPTH}", "use stages") if depth > MAX_DEPTH else None


def _at(document: Document, mark: Any, message: str, remedy: str = "") -> Problem:
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return Problem(
        file=document.name, line=line, column=column, path="", message=message, remedy=remedy
    )


def _build(node: yaml.Node, path: Path, document: Document, problems: list[Problem]) -> Any:
    document.places.setdefault(path, (node.start_mark.line + 1, node.start_mark.column + 1))
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, document, problems)
    if isinstance(node, yaml.SequenceNode):
        return [
            _build(item, (*path, index), document, problems)
            for index, item in enumerate(node.value)
        ]
    begin, behind = node.start_mark, min(node.end_mark.line + 1, len(document.lines))
    if getattr(node, "style", None) in ("|", ">"):
        document.texts[path] = begin.line + 1, behind, 0
    else:
        document.texts[path] = begin.line, behind, begin.column
    return _scalar(node, document, problems)


def _mapping(
    node: yaml.MappingNode, path: Path, document: Document, problems: list[Problem]
) -> dict[str, Any]:
    built: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = key_node.value
        if isinstance(key, str):
            key = _whole(key, key_node, document, problems)
        if not isinstance(key, str) or not isinstance(key_node, yaml.ScalarNode):
            problems.append(_at(document, key_node.start_mark, "a key must be text", _QUOTES))
        elif key == "<<":
            problems.append(
                _at(document, key_node.start_mark, "merge keys are not read", "write it out")
            )
        elif key in built:
            problems.append(
                _at(document, key_node.start_mark, f"{key!r} is given twice", "keep one of them")
            )
        else:
            document.places[(*path, key)] = (
                key_node.start_mark.line + 1,
                key_node.start_mark.column + 1,
            )
            built[key] = _build(value_node, (*path, key), document, problems)
    return built


def _scalar(node: yaml.Node, document: Document, problems: list[Problem]) -> Any:
    value: str = node.value
    match node.tag.rpartition(":")[2]:
        case "null":
            return None
        case "bool":
            return value.lower() == "true"
        case "int" | "float" if re.match(r"[-+]?0\d", value):
            # Ten in YAML 1.2, eight in YAML 1.1, and a text where it is a code.
            message, remedy = (
                f"{value[:40]} begins with a zero",
                "take the zero away, or put it in quotes",
            )
            problems.append(_at(document, node.start_mark, message, remedy))
            return 0
        case "int":
            number = int(value[:40], 0) if value[:2] in ("0o", "0x") else int(value[:40])
            if abs(number) > MAX_WHOLE_NUMBER:
                problems.append(_at(document, node.start_mark, *_TOO_LARGE))
            return number
        case "float":
            number = float(value)
            if number in (float("inf"), float("-inf")):
                problems.append(_at(document, node.start_mark, *_TOO_LARGE))
            return number
        case _:
            return _whole(value, node, document, problems)


def _whole(text: str, node: yaml.Node, document: Document, problems: list[Problem]) -> str:
    """Text whose escaped halves of characters are put together, as JSON writes them."""
    if "\0" in text:
        problems.append(_at(document, node.start_mark, "the character NUL in text", "take it out"))
    if not any("\ud800" <= character <= "\udfff" for character in text):
        return text
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        remedy = "write both halves, or the character itself"
        problems.append(_at(document, node.start_mark, "half a character", remedy))
        return ""
