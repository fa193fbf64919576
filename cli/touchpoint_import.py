"""Importing a file of touchpoints: in order, in batches, from where an earlier import stopped."""

import asyncio
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

import orjson

from cli.ingest_client import IngestBusyError, IngestClient
from cli.installation import find_installation
from cli.output import CommandError

MOST_IN_A_BATCH = 200
BATCH_BYTES = 400_000
ROOM_FOR_AN_ID = 100
BEGINNING_BYTES = 65_536
PATIENCE_SECONDS = 60.0


class UnreadableLineError(ValueError):
    """A line that is no touchpoint; the message names the field."""


@dataclass(slots=True)
class ImportedFile:
    """How an import went. `refused`: line numbers with the reason; `read`: bytes of the file."""

    sent: int = 0
    lines: int = 0
    read: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])


class Cursor:
    """How far a file was imported, kept beside the installation's state.

    It holds for as long as what was imported stands unchanged at the file's beginning.
    """

    def __init__(self, state: Path, file: Path) -> None:
        self._file = file
        place = hashlib.sha256(os.fsencode(file.resolve())).hexdigest()[:16]
        self._path = state / "imports" / f"{file.name[:60]}-{place}.json"

    def read(self) -> tuple[int, int]:
        """Bytes and lines imported so far."""
        try:
            told = json.loads(self._path.read_text())
            read, lines = int(told["read"]), int(told["lines"])
        except (OSError, ValueError, KeyError, TypeError):
            return 0, 0
        return (read, lines) if told.get("beginning") == self._beginning(read) else (0, 0)

    def write(self, read: int, lines: int) -> None:
        """Everything up to here is stored."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self._path.with_suffix(".new")
        kept = {"read": read, "lines": lines, "beginning": self._beginning(read)}
        unfinished.write_text(json.dumps(kept))
        unfinished.replace(self._path)

    def _beginning(self, read: int) -> str:
        with self._file.open("rb") as source:
            return hashlib.sha256(source.read(min(read, BEGINNING_BYTES))).hexdigest()


async def import_touchpoints(state: Path, file: Path, *, from_start: bool) -> ImportedFile:
    """Import what an earlier import of this file did not, showing how far it came."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    cursor = Cursor(state, file)
    read, known = (0, 0) if from_start else cursor.read()
    imported = ImportedFile(lines=known, read=read)
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    with progress, file.open("rb") as source:
        size = source.seek(0, os.SEEK_END)
        source.seek(read)
        task = progress.add_task(file.name, total=size, completed=read)
        async with IngestClient(find_installation(state)) as ingest:
            for lines, batch in _batches(source, imported):
                refused = await _send(ingest, batch)
                imported.refused += [(lines[index], why) for index, why in refused.items()]
                imported.sent += len(batch) - len(refused)
                cursor.write(imported.read, imported.lines)
                progress.update(task, completed=imported.read)
        cursor.write(imported.read, imported.lines)
    return imported


def read_line(line: bytes, number: int) -> dict[str, Any]:
    """A line as a message of Segment's API. Raises: `UnreadableLineError`."""
    try:
        told = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise UnreadableLineError(f"is not JSON: {error}") from None
    if not isinstance(told, dict):
        raise UnreadableLineError("is not a JSON object")
    fields = cast("dict[str, Any]", told)
    message = {
        "type": "track",
        **{name: value for name, value in fields.items() if name not in ("customer", "message_id")},
    }
    if "customer" in fields:
        message["userId"] = fields["customer"]
    message_id = fields.get("message_id", fields.get("messageId"))
    if message_id is None:
        message_id = "import-" + hashlib.sha256(b"%d %b" % (number, line.strip())).hexdigest()[:32]
    message["messageId"] = message_id
    if message["type"] == "track" and not isinstance(message.get("event"), str):
        raise UnreadableLineError("event: is missing; it is the name of what happened")
    return message


def _batches(
    source: IO[bytes], imported: ImportedFile
) -> Iterator[tuple[list[int], list[dict[str, Any]]]]:
    """Batches of messages, with the line of each."""
    lines: list[int] = []
    batch: list[dict[str, Any]] = []
    size = 0
    for line in source:
        imported.lines += 1
        if line.strip():
            try:
                batch.append(read_line(line, imported.lines))
                lines.append(imported.lines)
                size += len(line) + ROOM_FOR_AN_ID
            except UnreadableLineError as error:
                imported.refused.append((imported.lines, str(error)))
        imported.read += len(line)
        if len(batch) >= MOST_IN_A_BATCH or size >= BATCH_BYTES:
            yield lines, batch
            lines, batch, size = [], [], 0
    if batch:
        yield lines, batch


async def _send(ingest: IngestClient, batch: list[dict[str, Any]]) -> dict[int, str]:
    """Send until it is stored: ids make sending it twice safe."""
    waited, rest = 0.0, 0.25
    while True:
        try:
            return await ingest.send(batch)
        except IngestBusyError as error:
            if waited > PATIENCE_SECONDS:
                raise CommandError(f"{error} Run the same import again to go on.") from None
            await asyncio.sleep(rest)
            waited, rest = waited + rest, min(rest * 2, 5.0)
