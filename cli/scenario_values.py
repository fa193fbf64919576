"""What a scenario beside a message gives to it: values that are true to life, without writing any."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import JsonValue


def scenario_values(path: Path, message: str, journey: str | None) -> dict[str, Any]:
    """The values with which a scenario beside the folder `messages` first sends it; empty where none does."""
    from insight.scenario import read_scenarios
    from insight.scenario_play import play
    from journey.document import InvalidDocumentError
    from journey.publication import read_definition

    found: list[dict[str, Any]] = []

    def sent(name: str, values: Mapping[str, JsonValue]) -> None:
        if name == message:
            found.append(dict(values))

    for story in sorted(path.parent.parent.glob("*scenarios.yaml")):
        written = story.with_name(f"{story.name.removesuffix('scenarios.yaml')}journey.yaml")
        if not written.is_file():
            continue
        try:
            program = read_definition(written.read_text(encoding="utf-8"), str(written)).program
            if journey not in (None, program.definition.journey):
                continue
            scenarios = read_scenarios(story.read_text(encoding="utf-8"), str(story))
        except (InvalidDocumentError, OSError, UnicodeDecodeError):
            continue  # `clew check` and `clew test` say what is wrong with them
        for _ in play(program, scenarios, lambda template, _: template, message=sent):
            if found:
                return found[0]
    return {}
