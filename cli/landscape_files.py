"""Touchpoints, personas and goals: the files around journeys, found and read once each."""

from pathlib import Path

from journey.document import InvalidDocumentError, Problem
from journey.landscape import Kind, Landscape
from journey.landscape_files import KINDS, read_landscape

ENDINGS = (".yaml", ".yml", ".json")


def kind_of(path: Path) -> Kind | None:
    """What a file of this name holds: `touchpoints.yaml`, `personas.yaml`, `goals.yaml`."""
    if path.suffix not in ENDINGS:
        return None
    return next((kind for kind in KINDS if path.stem == kind), None)


class Landscapes:
    """What is described around journeys. `problems`: what is wrong with these files, each told once."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._read: dict[Path, Landscape | None] = {}

    def around(self, journey: Path) -> Landscape | None:
        """From beside a journey and the folder above; the nearer is believed. None where a file is wrong."""
        folder = journey.resolve().parent
        beside = [
            self.read(_as_named(journey, found))
            for level in dict.fromkeys((folder, folder.parent))
            for kind in KINDS
            for found in _files(level, kind)
        ]
        whole = Landscape()
        for each in beside:
            if each is None:
                return None
            whole = whole.over(each)
        return whole

    def read(self, path: Path) -> Landscape | None:
        """What one file describes; None, and its problems kept, where it is wrong."""
        where, kind = path.resolve(), kind_of(path)
        if where not in self._read and kind is not None:
            self._read[where] = self._described(path, kind)
        return self._read.get(where)

    def _described(self, path: Path, kind: Kind) -> Landscape | None:
        text = text_of(path)
        if isinstance(text, Problem):
            self.problems.append(text)
            return None
        try:
            return read_landscape(kind, text, str(path))
        except InvalidDocumentError as error:
            self.problems += error.problems
            return None


def text_of(path: Path) -> str | Problem:
    """What a file says, or what is wrong with it."""

    def problem(line: int, message: str, remedy: str) -> Problem:
        return Problem(file=str(path), line=line, column=1, path="", message=message, remedy=remedy)

    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        return problem(line, "is not UTF-8 text", "save it as UTF-8")
    except OSError as error:
        return problem(1, f"cannot be read: {error.strerror}", "check its permissions")


def _files(folder: Path, kind: Kind) -> list[Path]:
    named = [folder / f"{kind}{ending}" for ending in ENDINGS]
    return [path for path in named if path.is_file()]


def _as_named(journey: Path, found: Path) -> Path:
    """A file as the person would write it, seen from how they named the journey."""
    given = journey.parent
    if found.parent == given.resolve():
        return given / found.name
    above = given.parent if given.name not in ("", "..") else given / ".."
    return above / found.name if above.resolve() == found.parent else found
