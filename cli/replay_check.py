"""`clew replay-check`: before a deployment, whether this build carries on what an earlier one began."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import FAILED, STATE, AsJson, CommandError, State, print_json, print_table, run, say

if TYPE_CHECKING:
    from workers.replaying import Replayed

RECORDED = Path(__file__).parents[1] / "tests" / "replay" / "histories"
"""Histories of every release, where a clone has them."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("replay-check")(replay_check)


def replay_check(
    runs: Annotated[
        int,
        typer.Option(help="So many open runs of the installation, half of them the oldest.", min=0),
    ] = 100,
    recorded: Annotated[
        Path, typer.Option(help="Folder of recorded histories; none where it is not there.")
    ] = RECORDED,
    state: State = STATE,
    as_json: AsJson = False,
) -> None:
    """Live histories again with this build: recorded ones, and of open runs where an installation is named.

    Changes nothing, and needs no worker. Exit code 1 where a run would not go on, with the first
    command that differs: do not deploy this build.
    """
    found = run(_check(state, sorted(recorded.glob("*/*.json")), runs))
    broken = [each for each in found if each.differs]
    if as_json:
        print_json(found)
    else:
        if broken:
            print_table(
                ("run", "events", "differs"), [(b.run, b.events, b.differs) for b in broken]
            )
        say(
            f"{len(found)} histories lived again, {len(broken)} of them otherwise than they are written."
        )
    if broken:
        raise CommandError(
            f"{broken[0].run} would not go on under this build. What a run does is changed under a new "
            "engine only: docs/deploying.md",
            FAILED,
        )


async def _check(state: Path, recorded: list[Path], runs: int) -> "list[Replayed]":
    from cli.installation import find_installation
    from workers.replaying import replay_recorded

    found = [await replay_recorded(path) for path in recorded]
    here = find_installation(state)
    if here.database_url is not None and runs:
        found += [each async for each in _of_installation(state, runs)]
    elif runs:
        say("No installation is named: only what was recorded is looked at.")
    return found


async def _of_installation(state: Path, runs: int) -> "AsyncIterator[Replayed]":
    import time

    from cli.history_keys import masters
    from cli.installation import database, temporal
    from stores.definitions import DefinitionStore
    from stores.history_keys import HistoryKeyStore
    from stores.runs import RunStore
    from workers.replaying import replay_runs
    from workers.sealed_history import Sealing, data_converter

    async with database(state) as pool:
        sealing = Sealing(HistoryKeyStore(pool, masters(state), time.monotonic))
        client = await temporal(state, converter=data_converter(sealing=sealing))
        sample = await RunStore(pool).oldest_and_newest(runs)
        async for each in replay_runs(client, sample, DefinitionStore(pool), sealing):
            yield each
