"""The head of a message file: YAML between two lines ---, one field a line, each fault with its place."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, cast

import yaml

from journey.effects import Purpose
from journey.message_variant import Variant, read_locale

MAX_SUBJECT = 500
MOST_NAMED = 20
_FENCE = re.compile(r"---[ \t]*")
_WORD = re.compile(r"[a-z][a-z0-9_-]{0,63}")


class MessageFileError(ValueError):
    """A message file that cannot be used; the message names file, line and remedy."""

    def __init__(self, name: str, line: int, problem: str, remedy: str) -> None:
        super().__init__(f"{name}, line {line}: {problem}. {remedy}")
        self.name, self.line, self.problem, self.remedy = name, line, problem, remedy


@dataclass(slots=True, frozen=True)
class Matter:
    """The head of the file `name`: its fields, and the line of each. `text` begins at `text_line`."""

    name: str
    fields: Mapping[str, object]
    written: str
    text: str
    text_line: int

    def line(self, field: str) -> int:
        """Where a field is written; 2 where it is not."""
        for number, line in enumerate(self.written.splitlines(), start=2):
            if re.match(rf"\s*['\"]?{re.escape(field)}['\"]?\s*:", line):
                return number
        return 2

    def fault(self, field: str, problem: str, remedy: str) -> MessageFileError:
        """What is wrong with a field."""
        return MessageFileError(self.name, self.line(field), problem, remedy)

    def text_of(self, field: str, most: int = MAX_SUBJECT) -> str | None:
        """A field of one line. Raises: `MessageFileError`."""
        value = self.fields.get(field)
        if value is None:
            return None
        if not isinstance(value, str) or not value.strip():
            raise self.fault(field, f"{field}: is missing", f'Write {field}: "…".')
        if len(value) > most or len(value.splitlines()) > 1:
            raise self.fault(
                field, f"{field}: is too long", f"One line of {most} characters at most."
            )
        return value

    def markup(self, field: str) -> str | None:
        """A field that holds markup. Raises: `MessageFileError`."""
        value = self.fields.get(field)
        if value is None or isinstance(value, str):
            return value
        raise self.fault(
            field, f"{field}: is not text", f"Write {field}: | and indent the markup below."
        )

    def purpose(self) -> Purpose | None:
        """What the message says it is for. Raises: `MessageFileError`."""
        match self.fields.get("purpose"):
            case None:
                return None
            case "service":
                return "service"
            case "marketing":
                return "marketing"
            case other:
                raise self.fault("purpose", f"purpose: {other!r}", "It is service or marketing.")

    def variant(self) -> Variant:
        """Whom the file is for. Raises: `MessageFileError`."""
        said = self.fields.get("locale")
        locale = read_locale(said) if isinstance(said, str) else None
        if said is not None and locale is None:
            # YAML reads `no`, the language of Norway, as false.
            raise self.fault(
                "locale", f"locale: {said!r} is no language", 'Write "de" or "pt-BR" (BCP 47).'
            )
        return Variant(locale=locale, tones=self._names("tone"), channels=self._names("channel"))

    def _names(self, field: str) -> frozenset[str]:
        said = self.fields.get(field)
        if said is None:
            return frozenset()
        names: list[object] = cast("list[object]", said) if isinstance(said, list) else [said]
        for name in names:
            if not isinstance(name, str) or not _WORD.fullmatch(name):
                raise self.fault(
                    field, f"{field}: {name!r} is no name", "Write one such as upset, or a list."
                )
        if not 0 < len(names) <= MOST_NAMED:
            raise self.fault(field, f"{field}: names none or too many", "Name 1 to 20.")
        return frozenset(map(str, names))


def read_matter(name: str, source: str, known: Collection[str]) -> Matter:
    """The head and the text of a file. Raises: `MessageFileError`."""
    written, text, text_line = _split(name, source)
    matter = Matter(name, _fields(name, written), written, text, text_line)
    for key in matter.fields:
        if key == "opens":
            raise matter.fault(
                "opens",
                "opens: is not counted here",
                "Mail programs load pictures without anybody reading: count clicks (links: count).",
            )
        if key not in known:
            raise matter.fault(str(key), f"unknown field {key!r}", f"Known: {', '.join(known)}.")
    return matter


def _split(name: str, source: str) -> tuple[str, str, int]:
    lines = source.removeprefix("\ufeff").splitlines()
    if not lines or not _FENCE.fullmatch(lines[0]):
        raise MessageFileError(
            name,
            1,
            "does not begin with ---",
            'Begin with a line ---, then subject: "…", then ---.',
        )
    for index, line in enumerate(lines[1:], start=1):
        if _FENCE.fullmatch(line):
            return "\n".join(lines[1:index]), "\n".join(lines[index + 1 :]) + "\n", index + 2
    raise MessageFileError(name, 1, "the front matter never ends", "Close it with a line ---.")


def _fields(name: str, matter: str) -> Mapping[str, object]:
    try:
        for token in yaml.scan(matter):
            if isinstance(token, yaml.AliasToken):
                line = token.start_mark.line + 2
                raise MessageFileError(name, line, "uses a YAML alias (*)", "Write the value out.")
        read: Any = yaml.safe_load(matter)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 2 if error.problem_mark else 2
        raise MessageFileError(
            name, line, f"is not YAML: {error.problem}", "Put the value in double quotes."
        ) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise MessageFileError(
            name, 2, f"is not YAML: {error}", "Keep plain text with one key a line."
        ) from error
    if not isinstance(read, dict):
        raise MessageFileError(name, 2, "has no fields", 'Give at least subject: "…".')
    return cast("dict[str, object]", read)
