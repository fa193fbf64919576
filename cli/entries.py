"""`clew enter`, `clew load-codes`, `clew calls-secret`: what journeys need from outside besides touchpoints."""

from pathlib import Path
from typing import Annotated

import typer

from cli.deeds import who
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
)
from cli.touchpoints import read_properties

LONGEST_CODE = 100


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("enter")(enter)
    app.command("load-codes")(load_codes)
    app.command("calls-secret")(calls_secret)


def enter(
    journey: Annotated[str, typer.Argument(metavar="JOURNEY")],
    customer: Annotated[str, typer.Option("--customer", help="Any identity of the customer.")],
    properties: Annotated[
        list[str] | None,
        typer.Option(
            "--property", metavar="KEY=VALUE", help="What the journey sees as event.properties."
        ),
    ] = None,
    state: State = STATE,
    as_json: AsJson = False,
) -> None:
    """Ask that a customer enter a journey, under its own rules. What became of it: clew runs."""
    found = run(_enter(state, journey, customer, properties or []))
    if as_json:
        print_json({"journey": journey, "customer": found})
    else:
        say(f"Asked that {customer} ({found}) enter {journey}.")


async def _enter(state: Path, journey: str, customer: str, properties: list[str]) -> str:
    import secrets
    from datetime import UTC, datetime

    from api.reported import LONGEST_NAME
    from cli.installation import database
    from contracts.ids import message_id
    from journey.touchpoint import ENTER_NAMES
    from stores.customers import CustomerStore
    from stores.definitions import DefinitionStore
    from stores.requested_entries import RequestedEntryStore

    said = read_properties(properties)
    for ours in ENTER_NAMES:
        if ours in said:
            raise CommandError(
                f"--property {ours}: this is a name of our own; choose another.", WRONG_USE
            )
    if not 1 <= len(customer.strip()) <= LONGEST_NAME:
        words = f"name the customer, in at most {LONGEST_NAME} characters"
        raise CommandError(f"--customer: {words}.", WRONG_USE)
    async with database(state) as pool:
        live = await DefinitionStore(pool).journeys()
        if journey not in live:
            told = ", ".join(live) or "none"
            raise CommandError(f"{journey} is not live; live are: {told}.", FAILED)
        found = await CustomerStore(pool).known(customer)
        message = message_id("request", secrets.token_hex(16))
        entries = RequestedEntryStore(pool)
        now = datetime.now(UTC)
        await entries.request(found, journey, said, message_id=message, at=now, by=who())
        return found


def load_codes(
    offer: Annotated[str, typer.Argument(metavar="OFFER")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="One code a line.")],
    state: State = STATE,
    as_json: AsJson = False,
) -> None:
    """Load codes into the pool of an offer; those that are there already stay."""
    codes = _read_codes(file)
    new, left = run(_load(state, offer, codes))
    if as_json:
        print_json({"offer": offer, "new": new, "known": len(codes) - new, "left": left})
    else:
        say(f"{new} new codes, {len(codes) - new} known before; {left} are left to give.")


def _read_codes(file: Path) -> list[str]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{file}: cannot be read as UTF-8 text: {error}", WRONG_USE) from None
    codes: list[str] = []
    for number, line in enumerate(lines, 1):
        code = line.strip()
        if len(code) > LONGEST_CODE or any(character.isspace() for character in code):
            words = f"a code is one word of at most {LONGEST_CODE} characters"
            raise CommandError(f"{file}:{number}: {words}.", WRONG_USE)
        codes += [code] if code else []
    if not codes:
        raise CommandError(f"{file}: holds no code.", WRONG_USE)
    return list(dict.fromkeys(codes))


async def _load(state: Path, offer: str, codes: list[str]) -> tuple[int, int]:
    from cli.installation import database
    from stores.coupons import CouponStore

    async with database(state) as pool:
        store = CouponStore(pool)
        return await store.load(offer, codes, by=who()), await store.left(offer)


def calls_secret(state: State = STATE) -> None:
    """Print what services check the signature of calls with (Standard Webhooks, whsec_…)."""
    import base64
    import os

    from workers.embedded.stack_files import StackFiles
    from workers.settings import calls_key

    told = os.environ.get("CLEW_CALLS_SECRET")
    secret = os.environ.get("CLEW_SECRET") or StackFiles(state).secret()
    print(f"whsec_{base64.b64encode(calls_key(secret, told)).decode()}")
