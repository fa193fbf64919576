"""Journeys and messages as files: found, read, and checked against each other."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from channels.liquid_text import LiquidText
from channels.message_bundle import Message, message_of
from channels.shared_words import SharedWords
from cli.house_files import HouseFile, check_house, house_around, is_house_file, said_by
from cli.landscape_files import ENDINGS, Landscapes, kind_of, text_of
from cli.message_files import (
    BLOCKS,
    HOUSE,
    CheckedMessages,
    check_messages,
    files_beside,
    name_problems,
)
from cli.output import WRONG_USE, CommandError
from cli.testing import scenarios_of
from insight.scenario import read_scenarios
from journey.document import InvalidDocumentError, Problem
from journey.house_policy import HousePolicy
from journey.house_voice import HouseVoice
from journey.landscape import Landscape
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
    """The texts of messages, all variants of each."""
    shared: list[Path] = field(default_factory=list[Path])
    """Blocks, and the voice of the house."""
    surveys: list[Path] = field(default_factory=list[Path])
    offers: list[Path] = field(default_factory=list[Path])
    landscapes: list[Path] = field(default_factory=list[Path])
    """Touchpoints, personas and goals named themselves; those around a journey are found with it."""
    house: list[Path] = field(default_factory=list[Path])
    """What there is one of in an installation, such as its policy; personas only where they are named."""


@dataclass(slots=True)
class CheckedFiles:
    """What passed, every problem of what did not, and what may stay but should be looked at."""

    journeys: list[Publishable] = field(default_factory=list[Publishable])
    messages: dict[str, tuple[Message, str]] = field(default_factory=dict[str, tuple[Message, str]])
    blocks: dict[str, str] = field(default_factory=dict[str, str])
    voice: HouseVoice | None = None
    surveys: dict[str, Survey] = field(default_factory=dict[str, Survey])
    offers: dict[str, OfferWords] = field(default_factory=dict[str, OfferWords])
    landscapes: list[Path] = field(default_factory=list[Path])
    house: list[HouseFile] = field(default_factory=list[HouseFile])
    scenarios: dict[str, str] = field(default_factory=dict[str, str])
    """By version of a journey, those beside it; what cannot be read is a warning and not here."""
    problems: list[Problem] = field(default_factory=list[Problem])
    warnings: list[Problem] = field(default_factory=list[Problem])


@dataclass(slots=True, frozen=True, kw_only=True)
class Published:
    """The names that are live in an installation already."""

    messages: Collection[str]
    surveys: Collection[str] = ()
    offers: Collection[str] = ()
    topics: Collection[str] | None = None
    """Of the policy that is live; None where there is none."""
    shared: SharedWords = field(default_factory=SharedWords)


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
            found.messages += [each for each in files_beside(path) if each.suffix == ".md"]
        elif path.suffix == ".liquid" or path.name == HOUSE:
            found.shared.append(path)
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
                f"{path}: journeys end in .yaml or .json, messages in .md, blocks in .liquid.",
                WRONG_USE,
            )
    return found


def check_files(found: FoundFiles, published: Published | None) -> CheckedFiles:
    """Read and check everything. `published`: what is live already.

    Where that is not known, a journey is held to the messages given and to those in the folder
    `messages` beside it; where there are none, nothing is said of messages.
    """
    checked = CheckedFiles()
    messages = check_messages(found.messages, found.shared, published and published.shared)
    checked.messages, checked.blocks, checked.voice = (
        messages.messages,
        messages.blocks,
        messages.voice,
    )
    checked.problems += messages.problems
    checked.warnings += messages.warnings
    for path in dict.fromkeys(found.surveys):
        _check_survey(path, checked)
    for path in dict.fromkeys(found.offers):
        _check_offers(path, checked)
    checked.house = check_house(list(dict.fromkeys(found.house)), checked.problems)
    given = {message_of(path.name) for path in found.messages}
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
            _take_scenarios(path, journey, checked)
            if around is not None and "touchpoints" not in around.files:
                checked.warnings.append(_nobody_described(path, journey))
            _hold_names(messages, journey, around, checked)
        except InvalidDocumentError as error:
            checked.problems += error.problems
    checked.problems += landscapes.problems
    return checked


def _hold_names(
    messages: CheckedMessages,
    journey: Publishable,
    around: Landscape | None,
    checked: CheckedFiles,
) -> None:
    """Tell what messages name and the journey does not give, each once."""
    for problem, never in name_problems(messages, journey.program, around):
        told = checked.problems if never else checked.warnings
        if problem not in told:
            told.append(problem)


def _words(journey: Path, checked: CheckedFiles, published: Published | None) -> NamedWords:
    """The surveys and offers that a journey may name: those given, those beside it, those that are live."""
    if published is not None:
        live: dict[str, Survey | None] = dict.fromkeys(published.surveys)
        offers = dict.fromkeys([*published.offers, *checked.offers])
        policy = said_by(checked.house, HousePolicy)
        known = policy.topic_names if policy is not None else published.topics
        topics = None if known is None else dict.fromkeys(known)
        return NamedWords(surveys=live | checked.surveys, offers=offers, topics=topics)
    beside = CheckedFiles(surveys=dict(checked.surveys), offers=dict(checked.offers))
    for path in sorted((journey.parent / "surveys").glob("*.yaml")):
        _check_survey(path, beside)
    if (journey.parent / "offers.yaml").exists():
        _check_offers(journey.parent / "offers.yaml", beside)
    policy = said_by(checked.house, HousePolicy) or house_around(
        journey, "policy", HousePolicy, beside.problems
    )
    topics = None if policy is None else dict.fromkeys(policy.topic_names)
    return NamedWords(surveys=beside.surveys or None, offers=beside.offers or None, topics=topics)


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


def _take_scenarios(path: Path, journey: Publishable, checked: CheckedFiles) -> None:
    """Those beside a journey. They are played by `clew test`, and hold nothing up here."""
    beside = scenarios_of(path)
    if beside == path or not beside.is_file():
        return
    text = text_of(beside)
    if not isinstance(text, str):
        checked.warnings.append(text)
        return
    try:
        read_scenarios(text, str(beside))
    except InvalidDocumentError as error:
        checked.warnings += error.problems
        return
    checked.scenarios[journey.version] = text


def _nobody_described(path: Path, journey: Publishable) -> Problem:
    count = len(undescribed(journey.program))
    words = (
        f"no touchpoints.yaml beside it or in the folder above describes its {count} touchpoints"
    )
    return _problem(path, 1, words, "describe them as docs/language/landscape.md shows")


def _beside(journey: Path) -> set[str]:
    return {message_of(path.name) for path in (journey.parent / "messages").glob("*.md")}


def _in_folder(folder: Path, found: FoundFiles) -> None:
    named = [folder / f"journey{ending}" for ending in JOURNEY_ENDINGS]
    journeys = [path for path in named if path.exists()]
    for ending in JOURNEY_ENDINGS:
        journeys += sorted(folder.glob(f"*.journey{ending}"))
    messages = sorted((folder / "messages").glob("*.md"))
    found.shared += sorted((folder / "messages" / BLOCKS).glob("*.liquid"))
    found.shared += [path for path in [folder / "messages" / HOUSE] if path.is_file()]
    found.surveys += sorted((folder / "surveys").glob("*.yaml"))
    found.offers += [path for path in [folder / "offers.yaml"] if path.exists()]
    house = [path for path in sorted(folder.glob("*.*")) if is_house_file(path, named=False)]
    found.house += house
    if not (journeys or messages or house or found.shared):
        raise CommandError(
            f"{folder}: holds no journey.yaml, no *.journey.yaml, no messages/*.md and no file of the house.",
            WRONG_USE,
        )
    found.journeys += journeys
    found.messages += messages


def _read(path: Path, checked: CheckedFiles) -> str | None:
    text = text_of(path)
    if isinstance(text, str):
        return text
    checked.problems.append(text)
    return None


def _problem(path: Path, line: int, message: str, remedy: str) -> Problem:
    return Problem(file=str(path), line=line, column=1, path="", message=message, remedy=remedy)
