"""All files of a message as one: `NAME.md` for everybody, `NAME.anything.md` for some.

Kept as its source is: one file by itself as it was written, several as JSON
`{"files": {"NAME.md": "…", "NAME.de.md": "…", "NAME.mjml": "…"}}` with sorted names.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, cast

from channels.message_file import MessageFile, MessageFileError, parse_message, revision_of
from journey.effects import Purpose

MOST_FILES = 100

LARGEST_SOURCE = 2_000_000
"""Characters of all files together."""


@dataclass(slots=True, frozen=True, kw_only=True)
class Message:
    """A message with all its files; the first is the base. `revision` is of all of them together."""

    name: str
    revision: str
    files: tuple[MessageFile, ...]

    @property
    def purpose(self) -> Purpose | None:
        """Marketing where any file says so: consent is never talked away."""
        said = {file.purpose for file in self.files}
        return "marketing" if "marketing" in said else "service" if "service" in said else None

    @property
    def names(self) -> frozenset[str]:
        """The variables that any of its files names."""
        return frozenset[str]().union(*(file.names for file in self.files))


def message_of(file: str) -> str:
    """The message that a file belongs to: `delay.de.upset.md` is of `delay`."""
    return file.partition(".")[0]


def bundle(files: Mapping[str, str]) -> str:
    """The source of a message of these files, by name. The same files are the same source."""
    [*names] = files
    if len(names) == 1 and names[0] == f"{message_of(names[0])}.md":
        return files[names[0]]
    return json.dumps({"files": dict(sorted(files.items()))}, ensure_ascii=False)


def files_of(name: str, source: str) -> dict[str, str]:
    """The files that a source holds. Raises: `MessageFileError`."""
    if not source.lstrip("\ufeff").startswith("{"):
        return {f"{name}.md": source}
    try:
        read: Any = json.loads(source)["files"]
    except (ValueError, KeyError, TypeError, RecursionError):
        read = None
    if not isinstance(read, dict) or not all(
        isinstance(each, str) for each in cast("dict[str, object]", read).values()
    ):
        raise MessageFileError(name, 1, "is no message", "Begin with a line ---, then subject.")
    return cast("dict[str, str]", read)


@lru_cache(maxsize=500)
def read_message(name: str, source: str) -> Message:
    """Read a message with all its files. Raises: `MessageFileError` naming the file at fault."""
    if len(source) > LARGEST_SOURCE:
        raise MessageFileError(name, 1, "is too large", "2 million characters in all files.")
    files = files_of(name, source)
    base = f"{name}.md"
    if base not in files:
        remedy = f"Write {base} for everybody for whom there is no other file."
        raise MessageFileError(name, 1, f"there is no {base}", remedy)
    texts = [base, *sorted(file for file in files if file.endswith(".md") and file != base)]
    if len(texts) > MOST_FILES:
        raise MessageFileError(name, 1, "has too many files", f"{MOST_FILES} at most.")
    parsed = [_parsed(file, files) for file in texts]
    _no_markup_alone(name, files)
    _told_apart(parsed)
    first = parsed[0]
    titles = {
        each.variant.locale or first.variant.locale: (each.subject, each.subject_line)
        for each in reversed(parsed)
        if not (each.variant.tones or each.variant.channels)
    }
    return Message(
        name=name,
        revision=revision_of(source),
        files=(first, *(_filled_up(each, first, titles) for each in parsed[1:])),
    )


def _parsed(file: str, files: Mapping[str, str]) -> MessageFile:
    stem = file.removesuffix(".md")
    return parse_message(stem, files[file], files.get(f"{stem}.mjml"))


def _no_markup_alone(name: str, files: Mapping[str, str]) -> None:
    for file in files:
        text = file.removesuffix(".mjml") + ".md"
        if file.endswith(".mjml") and text not in files:
            raise MessageFileError(name, 1, f"{file} stands alone", f"Write {text} beside it.")


def _told_apart(files: Sequence[MessageFile]) -> None:
    base, *others = files
    if base.variant.channels or base.variant.tones:
        remedy = f"Write that as {base.name}.something.md, and here what is for everybody."
        raise MessageFileError(base.name, 2, "is for everybody, not for some", remedy)
    for place, file in enumerate(others, 1):
        mine = file.variant
        if not (mine.locale or mine.tones or mine.channels):
            remedy = "Add locale:, tone: or channel: to its front matter."
            raise MessageFileError(file.name, 2, "does not say whom it is for", remedy)
        for other in files[:place]:
            theirs = other.variant
            if (
                (mine.locale or base.variant.locale) == (theirs.locale or base.variant.locale)
                and _meet(mine.channels, theirs.channels)
                and _meet(mine.tones, theirs.tones)
            ):
                remedy = "Say in one of them whom it is for that the other is not."
                raise MessageFileError(file.name, 2, f"is for the same as {other.name}", remedy)


def _meet(one: frozenset[str], other: frozenset[str]) -> bool:
    return bool(one & other) or not (one or other)


def _filled_up(
    file: MessageFile, base: MessageFile, titles: Mapping[str | None, tuple[str | None, int]]
) -> MessageFile:
    """What a file leaves out: what is the same in every tone, and the subject in its language."""
    subject, line = file.subject, file.subject_line
    if subject is None:
        mine = file.variant.locale or base.variant.locale
        subject, line = titles.get(mine, (base.subject, base.subject_line))
    return replace(
        file,
        data=file.data or base.data,
        calendar=file.calendar or base.calendar,
        links=file.links or base.links,
        link=file.link or base.link,
        link_line=file.link_line if file.link else base.link_line,
        approved=file.approved or base.approved,
        subject=subject,
        subject_line=line,
    )
