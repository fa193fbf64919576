"""`clew demo`: see it work on real input."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.checkout import need_examples
from cli.output import FAILED, CommandError, print_json, run

if TYPE_CHECKING:
    from cli.demo.flights import Ended, Wish
    from cli.demo.terminal import Terminal

app = typer.Typer(help="See it work: a real day of departures.", no_args_is_help=True)

STORM = "2013-02-08"
CALM = "2013-04-21"
STATE = Path(".clew") / "demo"


def register(commands: typer.Typer) -> None:
    """Add the command."""
    commands.add_typer(app, name="demo")


@app.callback()
def demo() -> None:
    """See it work on real input."""


@app.command()
def flights(
    day: Annotated[
        str, typer.Option(help=f"A day of 2013: {STORM} is a snow storm, {CALM} a calm day.")
    ] = STORM,
    passengers: Annotated[int, typer.Option(help="How many fly.", min=1, max=100_000)] = 300,
    speed: Annotated[
        float | None,
        typer.Option(
            help="How many times faster than the wall; what this machine carries, unless given.",
            min=1,
            max=100_000,
        ),
    ] = None,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Serve the page that shows the day.")
    ] = True,
    port: Annotated[int, typer.Option(help="The page's port; 0 takes a free one.")] = 8600,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the account as JSON, the last line of stdout.")
    ] = False,
    state: Annotated[
        Path, typer.Option(envvar="CLEW_DEMO_STATE", help="A folder that the demo may empty.")
    ] = STATE,
) -> None:
    """Fly a real day of departures from New York with generated passengers.

    Every passenger is a Temporal workflow that is written to, waits, and is handed to staff. It
    ends by itself; the exit code is 0 only if every passenger is accounted for.
    """
    need_examples("The demo")
    from cli.demo.flights import Wish, fly
    from cli.demo.terminal import Terminal

    _quiet_libraries()
    wish = Wish(
        day=_day(day),
        passengers=passengers,
        speed=speed,
        state=state,
        page=browser,
        port=port,
    )
    with Terminal(plain=as_json) as terminal:
        ended = run(fly(wish, terminal))
    _tell(ended, wish, terminal)
    if as_json:
        print_json(ended.line)
    if not ended.balances:
        raise typer.Exit(FAILED)


def _quiet_libraries() -> None:
    """A database that is killed on purpose is no news."""
    import logging

    import structlog

    logging.getLogger("psycopg").setLevel(logging.CRITICAL)
    errors_only = structlog.make_filtering_bound_logger(logging.ERROR)
    structlog.configure(wrapper_class=errors_only)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CommandError(f"{text} is not a day: write it as {STORM}", 2) from None


def _tell(ended: "Ended", wish: "Wish", terminal: "Terminal") -> None:
    told = ended.report
    terminal.say(f"\n{told.sentence}\n")
    for line in told.lines:
        terminal.say(f"{line.figure:>8}  {line.words}{f'  ({line.more})' if line.more else ''}")
    terminal.say(f"\nWhy not?  {told.why_not}")
    terminal.say(f"The same day, run naively: {told.naive}\n\nTry next:")
    for command, words in told.commands:
        terminal.say(f"  {command}\n      {words}")
    terminal.say(f"\nEverything was kept in {wish.state}; it took {ended.line['seconds']:.0f} s.")
