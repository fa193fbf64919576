"""`clew figures`: the figures of journeys, compared with the records and counted anew."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from cli.output import FAILED, STATE, AsJson, CommandError, State, print_json, print_table, run, say

if TYPE_CHECKING:
    from stores.journey_figures import Difference

MOST_SHOWN = 50


def register(app: typer.Typer) -> None:
    """Add the commands."""
    figures = typer.Typer(
        help="What is counted of journeys: who stands where, and which ways they go.",
        no_args_is_help=True,
    )
    figures.command("check")(check)
    figures.command("rebuild")(rebuild)
    app.add_typer(figures, name="figures")


def check(state: State = STATE, as_json: AsJson = False) -> None:
    """Compare the figures with the records, at one instant, while runs go on. Fails where they differ."""
    found = run(_differences(state))
    if as_json:
        print_json([asdict(each) for each in found])
    elif found:
        print_table(
            ("journey", "version", "at", "what", "way", "figure", "records"),
            [
                (f.journey, f.version[:12], f.address or "-", f.kind, f.way, f.held, f.recorded)
                for f in found
            ],
        )
    if found:
        raise CommandError(
            "The figures are not what the records say. Count them anew: clew figures rebuild",
            FAILED,
        )
    if not as_json:
        say("The figures are what the records say.")


def rebuild(state: State = STATE, as_json: AsJson = False) -> None:
    """Count the figures anew from the records, while runs go on."""
    count = run(_rebuild(state))
    if as_json:
        print_json({"figures": count})
    else:
        say(f"{count:,} figures, counted anew from the records.")


async def _differences(state: Path) -> "list[Difference]":
    from cli.installation import database
    from stores.journey_figures import JourneyFiguresStore

    async with database(state) as pool:
        return await JourneyFiguresStore(pool).differences(MOST_SHOWN)


async def _rebuild(state: Path) -> int:
    from cli.deeds import write_down
    from cli.installation import database
    from stores.journey_figures import JourneyFiguresStore

    async with database(state) as pool:
        count = await JourneyFiguresStore(pool).rebuild()
        await write_down(pool, "counted anew", "figures of journeys", {"figures": count})
        return count
