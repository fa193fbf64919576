"""Files that an installation has one of, found and read: feelings.yaml, problems.yaml, personas.yaml."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.landscape_files import ENDINGS, text_of
from journey.document import InvalidDocumentError, Problem
from journey.house_files import HouseKind, house_kind, read_house_file

if TYPE_CHECKING:
    from stores.published import PublishedStore


@dataclass(slots=True, frozen=True)
class HouseFile:
    """One such file: what kind it is, where it is, and what it says as plain JSON."""

    kind: HouseKind
    path: Path
    source: dict[str, Any]


def is_house_file(path: Path, *, named: bool = True) -> bool:
    """Whether a file of this name is one. Personas are only where the file itself is `named`: they stand beside
    journeys as well, and describe them there.
    """  # noqa: D205 -- one sentence
    if path.suffix not in ENDINGS or not path.is_file():
        return False
    return house_kind(path.stem) is not None and (named or path.stem != "personas")


def check_house(paths: Sequence[Path], problems: list[Problem]) -> list[HouseFile]:
    """Read them; what is wrong is added to `problems`."""
    found: list[HouseFile] = []
    for path in paths:
        kind = house_kind(path.stem)
        if kind is None:
            continue
        text = text_of(path)
        if isinstance(text, Problem):
            problems.append(text)
            continue
        try:
            read = read_house_file(kind, text, str(path))
        except InvalidDocumentError as error:
            # What is wrong with personas is told already, as they are described around journeys too.
            problems += [] if kind == "personas" else error.problems
            continue
        found.append(HouseFile(kind, path, read.model_dump(mode="json", by_alias=True)))
    return found


async def publish_house(store: "PublishedStore", files: Sequence[HouseFile]) -> dict[str, str]:
    """Make them live; the revision of each kind."""
    from stores.published import HOUSE

    return {each.kind: await store.publish(each.kind, HOUSE, each.source) for each in files}
