"""`clew up`: a whole installation on this machine, until Ctrl-C."""

import asyncio
import signal
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import STATE, AsJson, CommandError, State, print_json, print_table, run, say

if TYPE_CHECKING:
    from contracts.clock import RunClock
    from workers.embedded.stack import Addresses, Stack


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("up")(up)


def up(
    state: State = STATE,
    any_ports: Annotated[
        bool, typer.Option("--any-ports", help="Take free ports instead of the usual ones.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Start PostgreSQL, Temporal and all of Clew on this machine; Ctrl-C stops it.

    The next `up` goes on where this one was.
    """
    run(_up(state, any_ports=any_ports, as_json=as_json))


async def _up(state: Path, *, any_ports: bool, as_json: bool) -> None:
    from cli.demo.left import clock_of
    from workers.embedded.finding_temporal import TemporalNotFoundError
    from workers.embedded.stack import ONE_OF_EACH, EmbeddedServerError, Ports, Stack

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    ports = Ports.free() if any_ports else Ports()
    clock = clock_of(state)
    first = ONE_OF_EACH if clock is None else {**ONE_OF_EACH, "api": 0}
    stack = Stack(state, say=say, ports=ports, processes=first)
    try:
        if not await _started(stack, clock, stop):
            return
    except (EmbeddedServerError, TemporalNotFoundError) as error:
        raise CommandError(str(error)) from None
    try:
        if as_json:
            print_json(asdict(stack.addresses))
        else:
            _tell(stack.addresses)
        await stop.wait()
    finally:
        say("Stopping ...")
        await stack.stop()


async def _started(stack: "Stack", clock: "RunClock | None", stop: asyncio.Event) -> bool:
    """Start it, unless Ctrl-C comes first. `clock`: of a demo's day that is over; what is shown shows that day."""

    async def whole() -> None:
        await stack.start()
        if clock is not None:
            say(
                f"A demo was played here. Mission control shows it as of its end, {clock.run_epoch:%d %B %Y}."
            )
            await stack.add("api", clock=clock)

    starting = asyncio.create_task(whole())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        return False
    stopping.cancel()
    await starting
    return True


def _tell(addresses: "Addresses") -> None:
    print_table(
        ("", ""),
        [
            ("API", f"{addresses.api}/openapi.json"),
            ("Mission control", f"{addresses.api}/control"),
            ("Inbox of staff", f"{addresses.api}/staff (clew members add, clew members password)"),
            ("Mails that were sent", addresses.mailbox),
            ("Temporal Web UI", addresses.temporal_ui or "(that of your own server)"),
            ("Temporal", addresses.temporal_address),
            ("PostgreSQL", addresses.database_url),
            ("Write key", addresses.write_key),
            ("Staff token", addresses.staff_token),
            ("Kept in", addresses.state),
        ],
    )
    say("\nClew runs. Ctrl-C stops it. Next, in another terminal: clew publish examples/flight")
