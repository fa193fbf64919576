"""`clew engine`: which meaning of journeys new runs get, and who knows it."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.deeds import who, write_down
from cli.output import (
    FAILED,
    STATE,
    AsJson,
    CommandError,
    State,
    print_json,
    print_table,
    run,
    say,
    wrong_use,
)

if TYPE_CHECKING:
    from pydantic import JsonValue
    from temporalio.client import Client

    from stores.engines import EngineStanding, EngineStore, OldRun

AT_ONCE = 8
TOLD_WITHIN_SECONDS = 20.0

_Number = Annotated[int, typer.Argument(metavar="N", help="The engine's number.", min=1)]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    engine = typer.Typer(help="Which engine new runs get, and who knows it.", no_args_is_help=True)
    engine.command("status")(status)
    engine.command("raise")(raise_engine)
    engine.command("lower")(lower)
    engine.command("retire")(retire)
    app.add_typer(engine, name="engine")


def status(state: State = STATE, as_json: AsJson = False) -> None:
    """Say which engine new runs get, who is at work with which build, and what is under way."""
    found = run(_standing(state))
    if as_json:
        print_json(found)
        return
    say(f"New runs get engine {found.engine}.")
    print_table(
        ("engine", "under way", "born"),
        [(each.engine, each.open, each.born) for each in found.runs],
    )
    print_table(
        ("process", "kind", "build", "knows engines", "since (UTC)"),
        [
            (
                each.process,
                each.kind,
                each.build,
                ", ".join(str(engine) for engine in each.engines),
                f"{each.started_at:%Y-%m-%d %H:%M}",
            )
            for each in found.processes
        ],
    )


def raise_engine(number: _Number, state: State = STATE) -> None:
    """Let new runs get engine N from now on. Refused while a process at work does not know it."""
    run(_change(state, number, up=True))
    say(
        f"New runs get engine {number} from now on. Until the first of them is born, "
        f"there is a way back: clew engine lower {number - 1}"
    )


def lower(number: _Number, state: State = STATE) -> None:
    """Let new runs get engine N again. Refused once a run was born under a later one."""
    run(_change(state, number, up=False))
    say(f"New runs get engine {number} again.")


def retire(number: _Number, state: State = STATE, as_json: AsJson = False) -> None:
    """Let every run under engine N go on under the one that new runs get, as a new execution.

    Each does so at its next quiet moment. Run the command again for those that were busy.
    """
    moved, left, engine = run(_retire(state, number))
    if as_json:
        print_json({"engine": engine, "moved": moved, "left": left})
    else:
        say(f"{moved} runs go on under engine {engine}.")
    if left:
        raise CommandError(
            f"{left} runs are still under engine {number}: they have something under way. "
            f"Run it again: clew engine retire {number}",
            FAILED,
        )
    if not as_json:
        say(
            f"Nothing is under way under engine {number}: a build that no longer knows it may come."
        )


async def _standing(state: Path) -> "EngineStanding":
    from cli.installation import database
    from stores.engines import EngineStore

    async with database(state) as pool:
        return await EngineStore(pool).standing()


async def _change(state: Path, number: int, *, up: bool) -> None:
    from cli.installation import database
    from stores.engines import EngineRefusedError, EngineStore

    async with database(state) as pool:
        engines = EngineStore(pool)
        change = engines.raise_to if up else engines.lower_to
        try:
            await change(number, by=who())
        except EngineRefusedError as refused:
            raise CommandError(str(refused), FAILED) from None


async def _retire(state: Path, number: int) -> tuple[int, int, int]:
    from cli.installation import database, temporal
    from stores.engines import EngineStore, those_who_do_not_know

    async with database(state) as pool:
        engines = EngineStore(pool)
        standing = await engines.standing()
        if number == standing.engine:
            wrong_use(f"New runs get engine {number}. Raise it first: clew engine raise N")
        strangers = those_who_do_not_know(standing.engine, standing.processes)
        if strangers:
            names = ", ".join(f"{each.kind} {each.process}" for each in strangers)
            raise CommandError(f"{names}: do not know engine {standing.engine}. Replace them.")
        client = await temporal(state)
        told: dict[str, JsonValue] = {"runs_go_on_under": standing.engine}
        await write_down(pool, "retired", f"engine {number}", told)
        moved, left = await move_runs(engines, client, number, standing.engine)
        return moved, left, standing.engine


async def move_runs(
    engines: "EngineStore", client: "Client", number: int, target: int
) -> tuple[int, int]:
    """Tell every run under one engine to go on under another; how many did, how many were busy."""
    moved = left = after = 0
    places = asyncio.Semaphore(AT_ONCE)

    async def one(old: "OldRun") -> bool:
        async with places:
            went = await _move(client, old, target)
            if went:
                await engines.continued(old.entry, target)
            return went

    while runs := await engines.open_runs(number, after=after):
        after = runs[-1].entry
        went = await asyncio.gather(*(one(each) for each in runs))
        moved += sum(went)
        left += len(went) - sum(went)
    return moved, left


async def _move(client: "Client", old: "OldRun", target: int) -> bool:
    """Whether a run is under the engine by now; one that has ended is left as it is."""
    from temporalio.service import RPCError, RPCStatusCode

    from contracts.names import QUERY_STATUS, SIGNAL_ENGINE

    handle = client.get_workflow_handle(old.workflow_id)
    try:
        await handle.signal(SIGNAL_ENGINE, {"engine": target})
        async with asyncio.timeout(TOLD_WITHIN_SECONDS):
            while (await handle.query(QUERY_STATUS)).get("engine") != target:  # noqa: ASYNC110 -- seen from outside
                await asyncio.sleep(0.1)
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise
        return False  # it has ended meanwhile, or its record is about to say so
    except TimeoutError:
        return False
    return True
