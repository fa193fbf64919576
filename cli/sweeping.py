"""`clew sweep`: looks now for runs that ended outside of Clew, which the router does by and by."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.deeds import write_down
from cli.output import FAILED, STATE, AsJson, CommandError, State, print_json, print_table, run, say

if TYPE_CHECKING:
    from pydantic import JsonValue

    from routing.run_sweeper import RunSweeper


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("sweep")(sweep)


def sweep(
    even_if_all: Annotated[
        bool,
        typer.Option(
            "--even-if-all", help="End them also where the server has none of the open runs."
        ),
    ] = False,
    state: State = STATE,
    as_json: AsJson = False,
) -> None:
    """Find open runs that the Temporal server ended or lost, and write their end down.

    Their cases are closed, and their customers may enter again. The router does this by itself, in portions.
    """
    done, missing = run(_sweep(state, even_if_all))
    if as_json:
        print_json({"ended": done.ended, "missing": missing})
    else:
        print_table(
            ("run", "workflow", "how", "told"),
            [(e.run.entry, e.run.workflow_id, e.how, e.told) for e in done.ended],
        )
        say(f"{len(done.ended)} runs had ended outside.")
    if missing:
        raise CommandError(
            f"{missing} open runs are not on this Temporal server, and none that is: is it the right one? "
            "If it is, and they are lost: clew sweep --even-if-all",
            FAILED,
        )


async def _sweep(state: Path, even_if_all: bool) -> "tuple[RunSweeper, int]":
    from cli.installation import database, temporal
    from routing.run_sweeper import RunSweeper
    from routing.temporal_standing import TemporalStanding
    from stores.run_sweep import RunSweepStore

    async with database(state) as pool:
        store = RunSweepStore(pool, lambda: datetime.now(UTC), waits=False)
        await store.anew()
        standing = TemporalStanding(await temporal(state))
        done, missing = RunSweeper(store, standing, even_if_all=even_if_all), 0
        while not done.whole:
            await done.round()
            missing += done.missing
        ended: list[JsonValue] = [each.run.entry for each in done.ended]
        await write_down(pool, "sweep", "runs that ended outside", {"runs": ended})
        return done, missing
