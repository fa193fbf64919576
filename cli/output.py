"""How commands speak: data on stdout (`--json`), words on stderr or as tables, errors in words."""

import asyncio
import gc
import json
import re
import sys
from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import typer

OK, FAILED, WRONG_USE = 0, 1, 2
"""Exit codes of every command."""

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout, and nothing else.")]
State = Annotated[
    Path, typer.Option("--state", envvar="CLEW_STATE", help="Folder of the local installation.")
]
STATE = Path(".clew")

Result = TypeVar("Result")


class CommandError(Exception):
    """A command that cannot do what was asked; the message says why, and what would help."""

    def __init__(self, words: str, code: int = FAILED) -> None:
        super().__init__(words)
        self.code = code


def wrong_use(words: str) -> NoReturn:
    """Refuse how a command was called."""
    raise CommandError(words, WRONG_USE)


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Carry out asynchronous work, and let native parts go while the loop still runs."""

    async def carry_out() -> Result:
        try:
            return await work
        finally:
            gc.collect()
            await asyncio.sleep(0)

    return asyncio.run(carry_out())


# What a terminal obeys, or shows in another order than it is written: names of customers come from outside.
_COMMANDS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    """The text with nothing in it that a terminal would obey: an escape is shown as what it is."""
    return _COMMANDS.sub(lambda found: found.group().encode("unicode_escape").decode("ascii"), text)


def say(words: str) -> None:
    """Words for a person, beside the data."""
    print(visible(words), file=sys.stderr, flush=True)


def print_json(value: object) -> None:
    """One JSON value on stdout."""
    print(json.dumps(value, default=_plain, ensure_ascii=False), flush=True)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table for a person; cells that hold nothing stay empty."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(visible(written(cell))) for cell in row))
    Console().print(table)


def written(value: object) -> str:
    """A value as a person reads it."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else ""
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S}"
        case list() | tuple():
            return "\n".join(map(str, value))  # pyright: ignore[reportUnknownArgumentType]
        case _:
            return str(value)


def _plain(value: object) -> object:
    match value:
        case datetime() | date():
            return value.isoformat()
        case Path():
            return str(value)
        case _ if is_dataclass(value) and not isinstance(value, type):
            return asdict(value)
        case _:
            return str(value)


def write_out(text: str, output: Path | None, told: str) -> None:
    """Print a text, or write it to a file and say so. Raises: `CommandError` where that cannot be."""
    if output is None:
        print(text, end="", flush=True)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        words = f"{output}: cannot be written: {error.strerror}. Name one that may be."
        raise CommandError(words) from None
    say(told)
