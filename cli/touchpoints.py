"""`clew send`, `clew import`: touchpoints from a command line and from a file."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer

from cli.deeds import write_down_where_known
from cli.output import (
    FAILED,
    STATE,
    WRONG_USE,
    AsJson,
    CommandError,
    State,
    print_json,
    run,
    say,
    wrong_use,
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("send")(send)
    app.command("import")(import_file)


def send(
    event: Annotated[str, typer.Argument(help="What happened, such as 'Product Added'.")],
    customer: Annotated[
        str | None, typer.Option("--customer", help="To whom: your id of the customer.")
    ] = None,
    subject: Annotated[
        str | None, typer.Option("--subject", help="About which thing: flight:UA1545.")
    ] = None,
    properties: Annotated[
        list[str] | None,
        typer.Option("--property", "-p", help="name=value; a value is JSON where it can be."),
    ] = None,
    message_id: Annotated[
        str | None, typer.Option("--message-id", help="Sending the same id twice is sending once.")
    ] = None,
    state: State = STATE,
    as_json: AsJson = False,
) -> None:
    """Send one touchpoint."""
    if customer is None and subject is None:
        wrong_use("Say to whom it happened (--customer) or about which thing (--subject), or both.")
    message = _message(event, customer, subject, properties or [], message_id)
    run(_send(state, message))
    told = {"event": event, "message_id": message["messageId"]}
    run(write_down_where_known(state, "sent", "a touchpoint", told))
    if as_json:
        print_json({"message_id": message["messageId"], "event": event})
    else:
        say(f"Stored: {event} ({message['messageId']}).")


def import_file(
    file: Annotated[Path, typer.Argument(help="JSON Lines: one touchpoint a line.")],
    again: Annotated[
        bool, typer.Option("--from-start", help="Forget how far an earlier import came.")
    ] = False,
    state: State = STATE,
    as_json: AsJson = False,
) -> None:
    """Import touchpoints from a file; begun again it goes on where it was stopped.

    A line is {"event", "customer", "timestamp", "properties", "context", "message_id"}, or a message
    of Segment's API. A line without a message id gets one from its content, so that importing a
    file twice is importing it once.
    """
    from cli.touchpoint_import import ImportedFile, import_touchpoints

    if not file.is_file():
        wrong_use(f"{file}: there is no such file.")
    imported: ImportedFile = run(import_touchpoints(state, file, from_start=again))
    told = {"file": file.name, "sent": imported.sent, "refused": len(imported.refused)}
    run(write_down_where_known(state, "imported", "touchpoints", told))
    if as_json:
        print_json(imported)
    else:
        say(f"{imported.sent} touchpoints sent, {len(imported.refused)} lines refused.")
    for line, why in imported.refused[:20]:
        say(f"{file}:{line}: {why}")
    if imported.refused:
        raise typer.Exit(FAILED)


def _message(
    event: str, customer: str | None, subject: str | None, given: list[str], message_id: str | None
) -> dict[str, Any]:
    message: dict[str, Any] = {
        "type": "track",
        "event": event,
        "messageId": message_id or f"command-{uuid4()}",
        "timestamp": datetime.now(UTC).isoformat(),
        "properties": read_properties(given),
    }
    if customer is not None:
        message["userId"] = customer
    if subject is not None:
        kind, colon, name = subject.partition(":")
        if not colon or not kind or not name:
            wrong_use(f"--subject {subject}: write it as kind:id, such as flight:UA1545.")
        message["context"] = {"subject": {"kind": kind, "id": name}}
    return message


def read_properties(given: list[str]) -> dict[str, Any]:
    """Properties given as name=value on the command line. Ends the command where one is wrong."""
    import json

    properties: dict[str, Any] = {}
    for pair in given:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            wrong_use(f"--property {pair}: write it as name=value.")
        try:
            properties[name] = json.loads(text)
        except ValueError:
            properties[name] = text
    return properties


async def _send(state: Path, message: dict[str, Any]) -> None:
    from cli.ingest_client import IngestBusyError, IngestClient
    from cli.installation import find_installation

    async with IngestClient(find_installation(state)) as ingest:
        for attempt in range(5):
            try:
                refused = await ingest.send([message])
            except IngestBusyError as error:
                if attempt == 4:
                    raise CommandError(f"{error} Nothing was stored.") from None
                await asyncio.sleep(0.5)
            else:
                if refused:
                    raise CommandError(f"Refused: {refused[0]}", WRONG_USE)
                return
