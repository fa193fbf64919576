"""A message as its author wrote it: YAML front matter, then the text in Liquid."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, cast

import yaml

from activities.message_text import MessageCannotRenderError
from channels.liquid_text import MAX_SOURCE, LiquidText
from journey.effects import Purpose

MAX_SUBJECT = 500
_FENCE = re.compile(r"---[ \t]*")
_KNOWN = ("subject", "purpose", "html")


class MessageFileError(ValueError):
    """A message file that cannot be used; the message names file, line and remedy."""

    def __init__(self, name: str, line: int, problem: str, remedy: str) -> None:
        super().__init__(f"{name}, line {line}: {problem}. {remedy}")
        self.name, self.line, self.problem, self.remedy = name, line, problem, remedy


@dataclass(slots=True, frozen=True, kw_only=True)
class MessageFile:
    """One message: its name, its subject and texts as templates, and where the text begins.

    `purpose` None takes the purpose of the send. `revision` is the SHA-256 of the source.
    """

    name: str
    revision: str
    subject: str
    text: str
    html: str | None
    purpose: Purpose | None
    subject_line: int
    text_line: int
    html_line: int
    variables: frozenset[str]


def revision_of(source: str) -> str:
    """The revision under which this source is kept."""
    return hashlib.sha256(source.encode()).hexdigest()


@lru_cache(maxsize=500)
def parse_message(name: str, source: str) -> MessageFile:
    """Read a message file. Raises: `MessageFileError`."""
    if len(source) > MAX_SOURCE:
        raise MessageFileError(
            name, 1, f"has {len(source)} characters", f"A message may have {MAX_SOURCE}."
        )
    matter, text, text_line = _split(name, source)
    fields = _front_matter(name, matter)
    subject_line, html_line = _line_of("subject", matter), _line_of("html", matter)
    message = MessageFile(
        name=name,
        revision=revision_of(source),
        subject=_subject(name, fields, subject_line),
        text=text,
        html=_html(name, fields, html_line),
        purpose=_purpose(name, fields, _line_of("purpose", matter)),
        subject_line=subject_line,
        text_line=text_line,
        html_line=html_line,
        variables=frozenset(),
    )
    if not text.strip():
        raise MessageFileError(
            name,
            text_line,
            "has no text",
            "Write what the customer is to read below the second ---.",
        )
    return _with_variables(message)


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


def _front_matter(name: str, matter: str) -> Mapping[str, object]:
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
    fields = cast("dict[str, object]", read)
    for key in fields:
        if key not in _KNOWN:
            raise MessageFileError(
                name,
                _line_of(str(key), matter),
                f"unknown field {key!r}",
                f"Known: {', '.join(_KNOWN)}.",
            )
    return fields


def _subject(name: str, fields: Mapping[str, object], line: int) -> str:
    subject = fields.get("subject")
    if not isinstance(subject, str) or not subject.strip():
        raise MessageFileError(name, line, "subject: is missing", 'Write subject: "…".')
    if len(subject) > MAX_SUBJECT or len(subject.splitlines()) > 1:
        raise MessageFileError(
            name, line, "subject: is too long", f"One line of {MAX_SUBJECT} characters at most."
        )
    return subject


def _purpose(name: str, fields: Mapping[str, object], line: int) -> Purpose | None:
    match fields.get("purpose"):
        case None:
            return None
        case "service":
            return "service"
        case "marketing":
            return "marketing"
        case other:
            raise MessageFileError(name, line, f"purpose: {other!r}", "It is service or marketing.")


def _html(name: str, fields: Mapping[str, object], line: int) -> str | None:
    html = fields.get("html")
    if html is None or isinstance(html, str):
        return html
    raise MessageFileError(
        name, line, "html: is not text", "Write html: | and indent the markup below."
    )


def _with_variables(message: MessageFile) -> MessageFile:
    liquid = LiquidText()
    names: set[str] = set()
    parts = [
        (message.subject, message.subject_line, False),
        (message.text, message.text_line, False),
    ]
    if message.html is not None:
        parts.append((message.html, message.html_line + 1, True))
    for template, first_line, html in parts:
        try:
            names |= liquid.variables(template, html=html)
        except MessageCannotRenderError as error:
            raise MessageFileError(
                message.name, first_line + error.line - 1, error.problem, error.remedy
            ) from error
    return replace(message, variables=frozenset(names))


def _line_of(field: str, matter: str) -> int:
    for number, line in enumerate(matter.splitlines(), start=2):
        if re.match(rf"['\"]?{re.escape(field)}['\"]?\s*:", line):
            return number
    return 2
