"""Files that an installation has one of, found and read: policy.yaml, identities.yaml, feelings.yaml and so on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel

from cli.landscape_files import ENDINGS, text_of
from journey.document import InvalidDocumentError, Problem
from journey.house_files import HOUSE_KINDS, HouseKind, house_kind, read_house_file

if TYPE_CHECKING:
    from stores.published import PublishedStore

File = TypeVar("File", bound=BaseModel)


@dataclass(slots=True, frozen=True)
class HouseFile:
    """One such file: what kind it is, where it is, and what it says."""

    kind: HouseKind
    path: Path
    read: BaseModel


def is_house_file(path: Path, *, named: bool = True) -> bool:
    """Whether a file of this name is one. Personas are only where the file itself is `named`: they stand beside
    journeys as well, and describe them there.
    """  # noqa: D205 -- one sentence
    if path.suffix not in ENDINGS or not path.is_file():
        return False
    return path.stem in HOUSE_KINDS and (named or path.stem != "personas")


def check_house(paths: Sequence[Path], problems: list[Problem]) -> list[HouseFile]:
    """Read them; what is wrong is added to `problems`."""
    found: dict[HouseKind, HouseFile] = {}
    for path in paths:
        kind = house_kind(path.stem)
        if kind is None:
            continue
        text = text_of(path)
        if isinstance(text, Problem):
            problems.append(text)
            continue
        if kind in found:
            words = f"the {kind} of the house are given in {found[kind].path} already"
            problems.append(
                Problem(
                    file=str(path),
                    line=1,
                    column=1,
                    path="",
                    message=words,
                    remedy="keep one file for the whole house",
                )
            )
            continue
        try:
            found[kind] = HouseFile(kind, path, read_house_file(kind, text, str(path)))
        except InvalidDocumentError as error:
            # What is wrong with personas is told already, as they are described around journeys too.
            problems += [] if kind == "personas" else error.problems
    return [*found.values()]


def said_by(files: Sequence[HouseFile], model: type[File]) -> File | None:
    """What one of them says, by its model."""
    return next((each.read for each in files if isinstance(each.read, model)), None)


def house_around(
    journey: Path, kind: HouseKind, model: type[File], problems: list[Problem]
) -> File | None:
    """The file beside a journey or in the folder above; what is wrong with it is told where it is given."""
    folder = journey.resolve().parent
    beside = [
        around / f"{kind}{ending}" for around in (folder, folder.parent) for ending in ENDINGS
    ]
    nearest = [path for path in beside if path.is_file()][:1]
    return said_by(check_house(nearest, problems), model)


async def publish_house(store: "PublishedStore", files: Sequence[HouseFile]) -> dict[str, str]:
    """Make them live; the revision of each kind."""
    from stores.published import HOUSE

    return {
        each.kind: await store.publish(
            each.kind, HOUSE, each.read.model_dump(mode="json", by_alias=True, exclude_unset=True)
        )
        for each in files
    }
