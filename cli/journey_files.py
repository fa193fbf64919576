"""Journeys and messages as files: found, read, and checked against each other."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from channels.liquid_text import LiquidText
from channels.message_file import MessageFile, MessageFileError, parse_message
from cli.house_files import HouseFile, check_house, is_house_file
from cli.landscape_files import ENDINGS, Landscapes, kind_of, text_of
from cli.output import WRONG_USE, CommandError
from journey.document import InvalidDocumentError, Problem
from journey.landscape_faults import undescribed
from journey.named_words import NamedWords, read_offers, read_survey
from journey.offer import OfferWords
from journey.publication import Publishable, read_definition
from journey.survey import Survey

JOURNEY_ENDINGS = ENDINGS


@dataclass(slots=True)
class FoundFiles:
    """Files by what they hold."""

    journeys: list[Path] = field(default_factory=list[Path])
    messages: list[Path] = field(default_factory=list[Path])
    surveys: list[Path] = field(default_factory=list[Path])
    offers: list[Path] = field(default_factory=list[Path])
    landscapes: list[Path] = field(default_factory=list[Path])
    """Touchpoints, personas and goals named themselves; those around a journey are found with it."""
    house: list[Path] = field(default_factory=list[Path])
    """What there is one of in an installation: feelings, problems, and personas where they are named."""


@dataclass(slots=True)
class CheckedFiles:
    """What passed, every problem of what did not, and what may stay but should be looked at."""

    journeys: list[Publishable] = field(default_factory=list[Publishable])
    messages: dict[str, tuple[MessageFile, str]] = field(
        default_factory=dict[str, tuple[MessageFile, str]]
    )
    surveys: dict[str, Survey] = field(default_factory=dict[str, Survey])
    offers: dict[str, OfferWords] = field(default_factory=dict[str, OfferWords])
    landscapes: list[Path] = field(default_factory=list[Path])
    house: list[HouseFile] = field(default_factory=list[HouseFile])
    problems: list[Problem] = field(default_factory=list[Problem])
    warnings: list[Problem] = field(default_factory=list[Problem])


@dataclass(slots=True, frozen=True, kw_only=True)
class Published:
    """The names that are live in an installation already."""

    messages: Collection[str]
    surveys: Collection[str] = ()
    offers: Collection[str] = ()


def find_files(paths: Sequence[Path]) -> FoundFiles:
    """The files meant: themselves, or of a folder its journeys and its `messages/`.

    Raises: `CommandError` naming a path that is neither.
    """
    found = FoundFiles()
    for path in paths:
        if is_house_file(path):
            found.house.append(path)
        if path.is_dir():
            _in_folder(path, found)
        elif not path.exists():
            raise CommandError(f"{path}: there is no such file or folder.", WRONG_USE)
        elif path.suffix == ".md":
            found.messages.append(path)
        elif path.name == "offers.yaml":
            found.offers.append(path)
        elif path.parent.name == "surveys" and path.suffix == ".yaml":
            found.surveys.append(path)
        elif kind_of(path) is not None:
            found.landscapes.append(path)
        elif is_house_file(path):
            continue
        elif path.suffix in JOURNEY_ENDINGS:
            found.journeys.append(path)
        else:
            raise CommandError(
                f"{path}: journeys end in .yaml or .json, messages in .md.", WRONG_USE
            )
    return found


def check_files(found: FoundFiles, published: Published | None) -> CheckedFiles:
    """Read and check everything. `published`: what is live already.

    Where that is not known, a journey is held to the messages given and to those in the folder
    `messages` beside it; where there are none, nothing is said of messages.
    """
    checked = CheckedFiles()
    for path in dict.fromkeys(found.messages):
        _check_message(path, checked)
    for path in dict.fromkeys(found.surveys):
        _check_survey(path, checked)
    for path in dict.fromkeys(found.offers):
        _check_offers(path, checked)
    checked.house = check_house(list(dict.fromkeys(found.house)), checked.problems)
    given = {path.stem for path in found.messages}
    landscapes = Landscapes()
    for path in dict.fromkeys(found.landscapes):
        if landscapes.read(path) is not None:
            checked.landscapes.append(path)
    for path in dict.fromkeys(found.journeys):
        source = _read(path, checked)
        if source is None:
            continue
        names = given | (_beside(path) if published is None else set(published.messages))
        unknown = published is None and not names
        try:
            known = None if unknown else dict.fromkeys(names)
            around = landscapes.around(path)
            words = _words(path, checked, published)
            journey = read_definition(source, str(path), known, words, around, LiquidText())
            checked.journeys.append(journey)
            if around is not None and "touchpoints" not in around.files:
                checked.warnings.append(_nobody_described(path, journey))
        except InvalidDocumentError as error:
            checked.problems += error.problems
    checked.problems += landscapes.problems
    return checked


def _words(journey: Path, checked: CheckedFiles, published: Published | None) -> NamedWords:
    """The surveys and offers that a journey may name: those given, those beside it, those that are live."""
    if published is not None:
        live: dict[str, Survey | None] = dict.fromkeys(published.surveys)
        offers = dict.fromkeys([*published.offers, *checked.offers])
        return NamedWords(surveys=live | checked.surveys, offers=offers)
    beside = CheckedFiles(surveys=dict(checked.surveys), offers=dict(checked.offers))
    for path in sorted((journey.parent / "surveys").glob("*.yaml")):
        _check_survey(path, beside)
    if (journey.parent / "offers.yaml").exists():
        _check_offers(journey.parent / "offers.yaml", beside)
    return NamedWords(surveys=beside.surveys or None, offers=beside.offers or None)


def _check_survey(path: Path, checked: CheckedFiles) -> None:
    source = _read(path, checked)
    if source is None:
        return
    try:
        survey = read_survey(source, str(path))
    except InvalidDocumentError as error:
        checked.problems += error.problems
        return
    if survey.survey != path.stem:
        words = f"the file is named {path.name}, the survey {survey.survey}"
        checked.problems.append(_problem(path, 1, words, "give both the same name"))
        return
    checked.surveys[survey.survey] = survey


def _check_offers(path: Path, checked: CheckedFiles) -> None:
    source = _read(path, checked)
    if source is None:
        return
    try:
        checked.offers |= {offer.offer: offer for offer in read_offers(source, str(path))}
    except InvalidDocumentError as error:
        checked.problems += error.problems


def _nobody_described(path: Path, journey: Publishable) -> Problem:
    count = len(undescribed(journey.program))
    words = (
        f"no touchpoints.yaml beside it or in the folder above describes its {count} touchpoints"
    )
    return _problem(path, 1, words, "describe them as docs/language/landscape.md shows")


def _beside(journey: Path) -> set[str]:
    return {path.stem for path in (journey.parent / "messages").glob("*.md")}


def _in_folder(folder: Path, found: FoundFiles) -> None:
    named = [folder / f"journey{ending}" for ending in JOURNEY_ENDINGS]
    journeys = [path for path in named if path.exists()]
    for ending in JOURNEY_ENDINGS:
        journeys += sorted(folder.glob(f"*.journey{ending}"))
    messages = sorted((folder / "messages").glob("*.md"))
    found.surveys += sorted((folder / "surveys").glob("*.yaml"))
    found.offers += [path for path in [folder / "offers.yaml"] if path.exists()]
    house = [path for path in sorted(folder.glob("*.yaml")) if is_house_file(path, named=False)]
    found.house += house
    if not journeys and not messages and not house:
        raise CommandError(
            f"{folder}: holds no journey.yaml, no *.journey.yaml and no messages/*.md.", WRONG_USE
        )
    found.journeys += journeys
    found.messages += messages


def _check_message(path: Path, checked: CheckedFiles) -> None:
    source = _read(path, checked)
    if source is None:
        return
    try:
        checked.messages[path.stem] = (parse_message(path.stem, source), source)
    except MessageFileError as error:
        checked.problems.append(_problem(path, error.line, error.problem, error.remedy))


def _read(path: Path, checked: CheckedFiles) -> str | None:
    text = text_of(path)
    if isinstance(text, str):
        return text
    checked.problems.append(text)
    return None


def _problem(path: Path, line: int, message: str, remedy: str) -> Problem:
    return Problem(file=str(path), line=line, column=1, path="", message=message, remedy=remedy)
