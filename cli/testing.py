"""`clew test`: the scenarios beside journeys, played on the pure machine; needs no server."""

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import FAILED, WRONG_USE, AsJson, CommandError, print_json, say

if TYPE_CHECKING:
    from pydantic import JsonValue

    from insight.scenario_play import Played

_Files = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE…",
        help="Scenarios (scenarios.yaml, NAME.scenarios.yaml), their journeys, or folders to look through.",
    ),
]
_Why = Annotated[
    bool, typer.Option("--why", help="Print every decision, also where all is as it should be.")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("test")(play_scenarios)


def scenarios_of(journey: Path) -> Path:
    """Where the scenarios of a journey are, if there are any: the journey itself where it is named otherwise."""
    return journey.with_name(journey.name.replace("journey.", "scenarios.")).with_suffix(".yaml")


def play_scenarios(files: _Files, why: _Why = False, as_json: AsJson = False) -> None:
    """Play the scenarios beside journeys, weeks in no time. What is wrong is told with its place."""
    began = time.perf_counter()
    passed = failed = 0
    for path in _scenario_files(files):
        for played in _play(path):
            passed, failed = passed + played.passed, failed + (not played.passed)
            _tell(path, played, why=why, as_json=as_json)
    seconds = round(time.perf_counter() - began, 3)
    if as_json:
        print_json({"passed": passed, "failed": failed, "seconds": seconds})
    else:
        say(f"{passed} passed, {failed} failed in {seconds:.2f} s.")
    if failed:
        raise typer.Exit(FAILED)


def _tell(path: Path, played: "Played", *, why: bool, as_json: bool) -> None:
    if as_json:
        told = {"file": str(path), "scenario": played.scenario, "passed": played.passed}
        print_json({**told, "problems": played.problems} if played.problems else told)
        return
    for problem in played.problems:
        say(str(problem))
    if why or not played.passed:
        say(f"  {'passed' if played.passed else 'FAILED'}: {played.scenario}")
        for decision in played.decisions:
            say(f"    {decision}")


def _play(path: Path) -> "Iterator[Played]":
    """Every scenario of a file; a file that cannot be read, or whose journey is wrong, is one that fails."""
    from channels.message_variants import brief_fault, in_words
    from insight.scenario import read_scenarios
    from insight.scenario_play import Played, play
    from journey.document import InvalidDocumentError
    from journey.publication import read_definition

    try:
        journey = _journey_of(path)
        source, story = _text(journey), _text(path)
        program = read_definition(source, str(journey)).program
        scenarios, messages = read_scenarios(story, str(path)), path.parent / "messages"
        yield from play(
            program,
            scenarios,
            in_words,
            message=lambda name, values: _message_fault(messages / f"{name}.md", values),
            brief=brief_fault,
        )
    except InvalidDocumentError as error:
        yield Played("the file can be read", error.problems)


def _message_fault(file: Path, values: Mapping[str, "JsonValue"]) -> str | None:
    """Why a message beside the journey cannot be put into words, if it cannot; one that is elsewhere can."""
    from channels.message_variants import message_fault
    from cli.message_sources import message_beside

    return message_fault(message_beside(file), values) if file.exists() else None


def _scenario_files(paths: Sequence[Path]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise CommandError(f"{path}: there is no such file or folder.", WRONG_USE)
        here = _in_folder(path) if path.is_dir() else [_beside(path)]
        if not here:
            words = "holds no scenarios.yaml and no NAME.scenarios.yaml, nor does a folder in it"
            raise CommandError(f"{path}: {words}.", WRONG_USE)
        found += here
    return list(dict.fromkeys(found))


def _in_folder(folder: Path) -> list[Path]:
    return sorted([*folder.rglob("scenarios.yaml"), *folder.rglob("*.scenarios.yaml")])


def _beside(path: Path) -> Path:
    """The scenarios of a journey, or the file itself where it holds scenarios."""
    if path.name.endswith("scenarios.yaml"):
        return path
    scenarios = scenarios_of(path)
    if scenarios == path or not scenarios.exists():
        raise CommandError(f"{path}: there are no scenarios beside it in {scenarios}.", WRONG_USE)
    return scenarios


def _journey_of(scenarios: Path) -> Path:
    named = scenarios.name.removesuffix("scenarios.yaml") + "journey"
    for ending in (".yaml", ".yml", ".json"):
        journey = scenarios.with_name(named + ending)
        if journey.exists():
            return journey
    raise CommandError(f"{scenarios}: there is no {named}.yaml beside it.", WRONG_USE)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (UnicodeDecodeError, OSError) as error:
        raise CommandError(f"{path}: cannot be read as UTF-8 text: {error}", WRONG_USE) from None
