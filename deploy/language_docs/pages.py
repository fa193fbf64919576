"""All pages of docs/language, by their path: each is made from the models and from examples that are run."""

import inspect
import json
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from deploy.language_docs import fields, refusals, worked_out
from deploy.language_docs.example import Example
from deploy.language_docs.refusals import Refusal
from deploy.language_docs.step_page import first_line, step_page
from insight import scenario
from journey import condition_bounds, conditions, moments, spans
from journey.business_hours import Business
from journey.definition import (
    Cap,
    Definition,
    Entry,
    Exit,
    Goal,
    Reaction,
    Stage,
    WhileRunning,
)
from journey.expressions import RUN_FIELDS
from journey.program import IN_PLACES
from journey.publication import AT_EXIT, json_schema
from journey.steps import KINDS
from journey.steps.wait import Counted

CLONE = Path(__file__).resolve().parents[2]
FOLDER = Path("docs/language")
WRONG = CLONE / "tests/unit/journey/wrong_definitions"
EXAMPLES = CLONE / FOLDER / "examples"
MADE = "<!-- Made by `make docs` from the models in journey/ and the examples beside; change those. -->\n\n"


def pages() -> dict[Path, str]:
    """Every page and the JSON Schema: path from the clone → text."""
    refused = refusals.refusals(WRONG)
    made = {
        "README": _index(refused["README"]),
        "entries": _entries(refused["entries"]),
        "exits-and-reactions": _exits(refused["exits-and-reactions"]),
        "moments-and-lengths": _moments(refused["moments-and-lengths"]),
        "conditions": _conditions(refused["conditions"]),
        "scenarios": _scenarios(),
    }
    for kind in KINDS:
        made[f"steps/{kind}"] = step_page(kind, EXAMPLES, refused[f"steps/{kind}"])
    found = {FOLDER / f"{name}.md": MADE + text for name, text in made.items()}
    schema = json.dumps(json_schema(), indent=2, ensure_ascii=False)
    return found | {FOLDER / "journey.schema.json": f"{schema}\n"}


def _page(*parts: str) -> str:
    return "\n\n".join(part.strip() for part in parts if part.strip()) + "\n"


def _doc(thing: object) -> str:
    return inspect.getdoc(thing) or ""


def _models(*models: type[BaseModel]) -> Iterator[str]:
    for model in models:
        yield f"### {fields.spoken(model)}"
        yield _doc(model)
        yield fields.table(model, "")


def _refused(refused: list[Refusal]) -> Iterator[str]:
    yield "## What is refused at publication"
    yield (
        "Each with file, line and column. What is wrong is named as the files in "
        "[tests/unit/journey/wrong_definitions](../../tests/unit/journey/wrong_definitions) are."
    )
    yield refusals.table(refused)


def _index(refused: list[Refusal]) -> str:
    steps = [
        f"| [`{kind}`](steps/{kind}.md) | {first_line(step)} |" for kind, step in KINDS.items()
    ]
    return _page(
        "# The language of journeys",
        "A journey is one file in YAML 1.2 or JSON. `clew check FILE` says everything that is wrong with it, "
        "`clew test FOLDER` plays the scenarios beside it, `clew publish FILE` makes it live.",
        "| page | what it tells |\n| --- | --- |\n"
        "| [entries](entries.md) | how customers enter |\n"
        "| [exits and reactions](exits-and-reactions.md) | "
        "what ends a run, and what happens whatever the stage is doing |\n"
        "| [moments and lengths of time](moments-and-lengths.md) | `4h`, `next 09:00`, `run.departs - 24h` |\n"
        "| [conditions and values](conditions.md) | CEL, what it may name, and what its bounds are |\n"
        "| [scenarios](scenarios.md) | stories that are played beside a journey |\n"
        "| [what lies beside a journey](landscape.md) | touchpoints, personas, shared goals |",
        "## In your editor",
        "[journey.schema.json](journey.schema.json) is the JSON Schema of a journey (`clew schema` prints the one of "
        "your version). An editor with the YAML language server completes and checks a file that begins with:",
        "```yaml\n# yaml-language-server: $schema=../docs/language/journey.schema.json\n```",
        "The schema knows the shape; what a journey means (a stage without an end, a message that does not exist, "
        "a condition that is not true or false) only `clew check` knows.",
        "## Steps",
        "A step is a mapping with its kind as the only key. Where a field holds steps, it holds a list of these.",
        "| step | what it is |\n| --- | --- |\n" + "\n".join(steps),
        "## The file",
        _doc(Definition),
        fields.table(Definition, ""),
        *_models(Stage),
        *_refused(refused),
    )


def _examples(*names: str) -> Iterator[str]:
    for name in names:
        example = Example(EXAMPLES / name)
        yield example.shown("", f"## {example.program.title}")


def _entries(refused: list[Refusal]) -> str:
    ways = ("touchpoint", "audience", "date", "schedule", "request")
    return _page(
        "# How customers enter",
        _doc(Entry),
        *_examples(*(f"entry-{way}" for way in ways)),
        "## Fields",
        *_models(Entry, Counted, Cap),
        *_refused(refused),
    )


def _exits(refused: list[Refusal]) -> str:
    return _page(
        "# What ends a run, and what happens whatever the stage is doing",
        *_examples("exits", "reactions"),
        "## Fields",
        *_models(Exit, Reaction, Goal, WhileRunning),
        "### of the whole journey",
        fields.table(
            Definition,
            "",
            only=("exit", "on_exit", "whenever", "goal", "priority", "while_running"),
        ),
        f"Under `on_exit` may stand {', '.join(f'`{kind}`' for kind in sorted(AT_EXIT))}: "
        "what is done at the end waits for nobody.",
        *_refused(refused),
    )


def _moments(refused: list[Refusal]) -> str:
    return _page(
        "# Moments and lengths of time",
        _doc(moments),
        _doc(spans).partition("\n\n")[2],
        "## What they come to",
        f"In {worked_out.ZONE}, where the clock goes forward on Sunday 2026-03-29 at 02:00 and Easter is on "
        "2026-04-05, with `business: {holidays: CZ}` and `run.departs` at 2026-03-10T09:00:00Z:",
        worked_out.moments(),
        "## Business time",
        "`2 business hours`, `1 business day`, `next business day 09:00` and `next business hour` (now, while the "
        "business is open) run while the business is open, on the clock of the journey's zone. They may stand where "
        "a moment may, and the lengths as deadlines of a [handoff](steps/handoff.md). A business day from before "
        "opening ends when the day does; from within it, at the same time on the next business day.",
        *_models(Business),
        "Which days are holidays belongs to the engine: a correction comes with a new version of Clew.",
        *_examples("moments"),
        *_refused(refused),
    )


def _conditions(refused: list[Refusal]) -> str:
    known = ", ".join(f"`{name}`" for name in sorted(RUN_FIELDS))
    places = [f"| `{name}` | under `{'.'.join(at)}` only |" for name, at in IN_PLACES.items()]
    return _page(
        "# Conditions and values",
        "Conditions and values are CEL, the Common Expression Language (https://cel.dev). A condition is true or "
        "false; a value is anything. Every expression comes to a value or cannot be told; what cannot be told is "
        "never true.",
        "## What they may name",
        "| name | what it is |\n| --- | --- |\n"
        "| `event` | what met the run here last: "
        "`event.name`, `event.timestamp`, `event.properties`, `event.context` |\n"
        "| `customer` | traits: `customer.tier`; `customer.id` and `customer.zone` are always there |\n"
        f"| `run` | what the run keeps (`keep`, `set`), and {known} |\n"
        "| `now` | the time at which it is looked at |\n"
        "| a name of your own | the result of a step with `as`, an item of `for_each`, the round of a `repeat` |\n"
        + "\n".join(places),
        "## What they come to",
        "With these names:",
        f"```json\n{json.dumps(worked_out.NAMES, indent=2, default=str)}\n```",
        worked_out.values(),
        "## Bounds",
        f"An expression has up to {conditions.MAX_SOURCE:,} characters; a text that it makes up to "
        f"{conditions.MAX_TEXT:,}, a value up to {conditions.MAX_PARTS:,} parts. "
        "It reads no clock but `now`, and nothing outside.",
        "An expression that could take more than half a second or 50 MB with the values at hand cannot be told, before "
        "it is begun. So `map` and `filter` go through about 1,000 items, two of them in each other through about 60, "
        f"and `exists` and `all` take {condition_bounds.MAX_TURNS:,} turns in all. The pattern of `matches` is written "
        f"out in quotes, and has up to {condition_bounds.MAX_STATES:,} signs when its repetitions are written out.",
        *_examples("conditions"),
        *_refused(refused),
    )


def _scenarios() -> str:
    said = _doc(scenario)
    return _page(
        "# Scenarios",
        said,
        "They are in `scenarios.yaml` beside `journey.yaml`, or in `NAME.scenarios.yaml` beside `NAME.journey.yaml`. "
        "`clew test FOLDER` plays all of them on the machine that runs in production, weeks in no time and without a "
        "server; `--why` prints each decision. What is not as it should be is told with file, line and column.",
        f"Under `when`, each thing that happens has its own dash, and is exactly one of "
        f"{', '.join(f'`{kind}`' for kind in scenario.KINDS)}.",
        "## Fields",
        *_models(
            scenario.ScenarioFile,
            scenario.Scenario,
            scenario.Given,
            scenario.When,
            scenario.Expected,
        ),
        "## More of them",
        "Each page of a [step](README.md#steps) has scenarios; [examples](../../examples) has those of whole journeys.",
    )
