"""`clew now`, `clew feeling`: who this is and what to say to them; what they feel, and from what."""

import getpass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import (
    STATE,
    WRONG_USE,
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
    from journey.feelings import Reading

_Customer = Annotated[
    str, typer.Argument(metavar="CUSTOMER", help="Our id, a user id, an e-mail, a telephone.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("now")(now)
    app.command("feeling")(feeling)


def now(
    customer: _Customer,
    place: Annotated[str, typer.Option("--place", help="Where they look or ask.")] = "agent",
    state: State = STATE,
) -> None:
    """Print what is known of a customer in this moment, and what to say to them here."""
    told = run(_now(state, customer, place))
    if told is None:
        raise CommandError(f"Nobody is known by {customer}.")
    print_json(told)


def feeling(
    customer: _Customer,
    felt: Annotated[
        str | None, typer.Argument(metavar="FEELING", help="What you saw or heard: upset.")
    ] = None,
    why: Annotated[str | None, typer.Option("--why", help="From what you know it.")] = None,
    lasts: Annotated[str | None, typer.Option("--for", help="How long: 3d. 7 days else.")] = None,
    over: Annotated[bool, typer.Option("--over", help="Nothing of it holds any more.")] = False,
    by: Annotated[str | None, typer.Option("--by", help="Who says so. Left out: you.")] = None,
    state: State = STATE,
    as_json: AsJson = False,
) -> None:
    """Say what a customer feels, since when, from what and until when; or add what you saw."""
    if (felt is not None or over) and not why:
        wrong_use("Say --why: whoever reads it later has only your words.")
    who = by or f"command: {getpass.getuser()}"
    readings = run(_feeling(state, customer, felt, why or "", lasts, over, who))
    if as_json:
        print_json(readings)
        return
    if not readings:
        say("Nothing is known of what they feel.")
        return
    at = datetime.now(UTC)
    columns = ("feeling", "source", "since", "until", "strength", "from what", "by")
    rows = [
        (
            *(each.feeling, each.source, each.at, each.fades_at),
            *(f"{each.strength(at):.0%}", each.evidence, each.by),
        )
        for each in readings
    ]
    print_table(columns, rows)


async def _now(state: Path, identity: str, place: str) -> dict[str, Any] | None:
    from collections.abc import Mapping

    from api.moment_words import moment_told
    from channels.liquid_text import LiquidText
    from cli.installation import database
    from stores.house import HouseStore
    from stores.moment import MomentStore

    at = datetime.now(UTC)

    def in_words(template: str, values: Mapping[str, object]) -> str | None:
        return LiquidText().words_of(template, values, at)

    async with database(state) as pool:
        moment = await MomentStore(pool, HouseStore(pool)).of(identity, place)
    return moment_told(moment, place, in_words, at) if moment is not None else None


async def _feeling(
    state: Path,
    identity: str,
    felt: str | None,
    why: str,
    lasts: str | None,
    over: bool,
    by: str,
) -> "list[Reading]":
    from cli.installation import database
    from journey.spans import SpanError
    from stores.customers import CustomerStore
    from stores.feelings import FeelingStore, UnknownFeelingError

    async with database(state) as pool:
        found = await CustomerStore(pool).find(identity)
        if found is None:
            raise CommandError(f"Nobody is known by {identity}.")
        store = FeelingStore(pool)
        try:
            if over:
                await store.over(found.customer, why=why, by=by)
            if felt is not None:
                await store.read_by_staff(found.customer, felt, why=why, by=by, lasts=lasts)
        except (UnknownFeelingError, SpanError) as error:
            raise CommandError(str(error), WRONG_USE) from None
        return await store.readings(found.customer)
