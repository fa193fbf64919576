"""`clew graph`: a journey as a picture, drawn from the very file that runs; needs no server."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import write_out, wrong_use
from cli.publishing import one_journey

if TYPE_CHECKING:
    from journey.program import Program


class Format(StrEnum):
    """How a picture is written."""

    SVG = "svg"
    MERMAID = "mermaid"


ENDINGS = {".svg": Format.SVG, ".mmd": Format.MERMAID, ".mermaid": Format.MERMAID}

_File = Annotated[Path, typer.Argument(metavar="FILE", help="A journey file, or its folder.")]
_Format = Annotated[
    Format | None,
    typer.Option(
        "--format", help="How it is written; without it by the ending of --output, else as SVG."
    ),
]
_Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="Write it to this file: .svg, .mmd or .mermaid."),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("graph")(graph)


def graph(file: _File, written_as: _Format = None, output: _Output = None) -> None:
    """Draw a journey from the file that runs: stages, steps, ways and ends, as SVG or Mermaid."""
    form = written_as or _by_ending(output)
    picture = _picture(one_journey(file), form)
    write_out(picture, output, f"{file} is drawn in {output}.")


def _by_ending(output: Path | None) -> Format:
    if output is None:
        return Format.SVG
    if output.suffix.lower() not in ENDINGS:
        known = ", ".join(ENDINGS)
        wrong_use(f"{output}: end it in one of {known}, or say --format.")
    return ENDINGS[output.suffix.lower()]


def _picture(program: "Program", form: Format) -> str:
    from insight.graph_mermaid import mermaid_of
    from insight.graph_svg import svg_of
    from insight.journey_graph import journey_graph

    drawn = journey_graph(program)
    return svg_of(drawn) if form is Format.SVG else mermaid_of(drawn)
