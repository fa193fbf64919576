"""`clew map`: the customer-journey map of a journey, drawn from the very file that runs; needs no server."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import write_out, wrong_use
from cli.publishing import one_journey

if TYPE_CHECKING:
    from insight.map_parts import JourneyMap


class Format(StrEnum):
    """How a map is written."""

    SVG = "svg"
    MARKDOWN = "markdown"


ENDINGS = {".svg": Format.SVG, ".md": Format.MARKDOWN}

_File = Annotated[Path, typer.Argument(metavar="FILE", help="A journey file, or its folder.")]
_Format = Annotated[
    Format | None,
    typer.Option(
        "--format", help="How it is written; without it by the ending of --output, else as SVG."
    ),
]
_Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="Write it to this file: .svg or .md.")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("map")(draw_map)


def draw_map(file: _File, written_as: _Format = None, output: _Output = None) -> None:
    """Draw the customer-journey map: stages across; down what is done, felt, said, worked, known and measured."""
    form = written_as or _by_ending(output)
    text = _written(_map_of(file), form)
    write_out(text, output, f"The map of {file} is in {output}.")


def _by_ending(output: Path | None) -> Format:
    if output is None:
        return Format.SVG
    form = ENDINGS.get(output.suffix.lower())
    if form is None:
        wrong_use(f"{output}: end it in {' or '.join(ENDINGS)}, or say --format.")
    return form


def _map_of(file: Path) -> "JourneyMap":
    """The map; a journey or a description with a problem is refused as `clew check` does."""
    from cli.journey_files import find_files
    from cli.landscape_files import Landscapes
    from insight.journey_map import journey_map
    from journey.landscape import Landscape

    program = one_journey(file)
    around = Landscapes().around(find_files([file]).journeys[0])
    return journey_map(program, around or Landscape())


def _written(drawn: "JourneyMap", form: Format) -> str:
    from insight.map_markdown import markdown_of
    from insight.map_svg import svg_of

    return svg_of(drawn) if form is Format.SVG else markdown_of(drawn)
