"""`clew keys`: the keys that seal what Temporal keeps of customers (docs/encryption.md)."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

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
    print_table,
    run,
    say,
)

if TYPE_CHECKING:
    from contracts.sealing import MasterKeys
    from stores.history_keys import HistoryKeyStore

Found = TypeVar("Found")

Days = Annotated[int, typer.Option(help="Whose newest key is older than so many days.", min=0)]
Whose = Annotated[str | None, typer.Option("--customer", help="Of this customer only (our id).")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    keys = typer.Typer(
        help="The keys that seal history: one for each customer, under a master key."
    )
    keys.command("status")(status)
    keys.command("rewrap")(rewrap)
    keys.command("rotate")(rotate)
    app.add_typer(keys, name="keys")


def status(state: State = STATE, as_json: AsJson = False) -> None:
    """Say how many keys there are, and under which master key."""
    found = run(_with_keys(state, lambda keys: keys.status()))
    if as_json:
        print_json(found)
        return
    print_table(
        ("master key", "keys", "oldest"),
        [
            (each.master or "(destroyed)", f"{each.keys:,}", f"{each.oldest:%Y-%m-%d}")
            for each in found
        ],
    )


def rewrap(state: State = STATE, as_json: AsJson = False) -> None:
    """Put every key, secret of a hook and second factor under the newest master key: the first of CLEW_HISTORY_KEYS.

    May be broken off and begun again. After it an older master key may be taken out of the setting.
    """

    def told(so_far: int) -> None:
        say(f"{so_far:,} ...")

    done = run(_with_keys(state, lambda keys: keys.rewrap(told, by=who())))
    done += run(_sealed_for_others(state))
    print_json({"rewrapped": done}) if as_json else say(
        f"{done:,} keys were put under the newest master key."
    )


def rotate(
    customer: Whose = None, older_than: Days = 90, state: State = STATE, as_json: AsJson = False
) -> None:
    """Seal what comes from now on with new keys; what was sealed before stays readable."""
    before = datetime.now(UTC) - timedelta(days=0 if customer else older_than)
    made = run(_with_keys(state, lambda keys: keys.rotate(before, customer, by=who())))
    print_json({"made": made}) if as_json else say(f"{made:,} new keys were made.")


async def _sealed_for_others(state: Path) -> int:
    from cli.installation import database
    from stores.case_hooks import CaseHookStore
    from stores.second_factors import SecondFactorStore

    known = masters(state)
    async with database(state) as pool:
        hooks = await CaseHookStore(pool, known).rewrap()
        return hooks + await SecondFactorStore(pool, known, lambda: datetime.now(UTC)).rewrap()


async def _with_keys(state: Path, work: "Callable[[HistoryKeyStore], Awaitable[Found]]") -> Found:
    import time

    from cli.installation import database
    from contracts.sealing import SealBrokenError, UnknownMasterKeyError
    from stores.history_keys import HistoryKeyStore

    known = masters(state)
    async with database(state) as pool:
        try:
            return await work(HistoryKeyStore(pool, known, time.monotonic))
        except UnknownMasterKeyError as error:
            raise CommandError(str(error), WRONG_USE) from None
        except SealBrokenError:
            said = "A key does not open with the master key of its name: was CLEW_SECRET or CLEW_HISTORY_KEYS changed?"
            raise CommandError(said, FAILED) from None


def masters(state: Path) -> "MasterKeys":
    """The master keys of the installation: as told, or of the one that runs here."""
    from cli.installation import runs_here
    from workers.embedded.stack_files import StackFiles
    from workers.settings import SettingsError, read_settings
    from workers.signing_settings import HistorySettings

    given = {"secret": StackFiles(state).secret()} if runs_here(state) else {}
    try:
        return read_settings(HistorySettings, given).master_keys()
    except SettingsError as error:
        raise CommandError(str(error), WRONG_USE) from None
