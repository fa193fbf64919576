"""`clew up`: a whole installation on this machine, until Ctrl-C."""

import asyncio
import signal
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import STATE, AsJson, CommandError, State, print_json, print_table, run, say

if TYPE_CHECKING:
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
    from workers.embedded.finding_temporal import TemporalNotFoundError
    from workers.embedded.stack import EmbeddedServerError, Ports, Stack

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    stack = Stack(state, say=say, ports=Ports.free() if any_ports else Ports())
    try:
        if not await _started(stack, stop):
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


async def _started(stack: "Stack", stop: asyncio.Event) -> bool:
    """Start it, unless Ctrl-C comes first."""
    starting = asyncio.create_task(stack.start())
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
