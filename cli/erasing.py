"""`clew erase` and `clew export`: a customer's data, taken out for good, and given to them."""

import getpass
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from cli.customer_links import signing
from cli.deeds import write_down
from cli.output import (
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
    from stores.database import Pool
    from stores.erasures import ErasureStore, Preview, Proof


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("erase")(erase)
    app.command("export")(export)


def erase(
    customer: Annotated[
        str | None, typer.Argument(help="Our id, or any of their names.", show_default=False)
    ] = None,
    identity: Annotated[
        str | None,
        typer.Option(
            help="One name and its kind, such as email:anna@example.com, in place of CUSTOMER."
        ),
    ] = None,
    reason: Annotated[
        str, typer.Option(help="Why; it is kept with the proof: no personal data.")
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask again.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would go, and stop.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Finish what was begun.")] = False,
    proof: Annotated[str | None, typer.Option(help="Print the proof of this erasure.")] = None,
    proofs: Annotated[
        bool,
        typer.Option(
            "--proofs", help="Print all proofs, a JSON line each, to be kept beside backups."
        ),
    ] = False,
    replay: Annotated[
        Path | None,
        typer.Option(
            help="After a backup was restored: erase again whom this file of --proofs names."
        ),
    ] = None,
    state: State = STATE,
    as_json: AsJson = False,
) -> None:
    """Erase a customer for good: runs, histories, and every row; what stays is a proof without personal data."""
    ways = [customer or identity, resume, proof, proofs, replay]
    if sum(bool(way) for way in ways) != 1 or (customer and identity):
        wrong_use("name a CUSTOMER or --identity, or one of --resume, --proof, --proofs, --replay.")
    if proof:
        _tell([run(_proof(state, proof))], as_json)
    elif proofs:
        for each in run(_proofs(state)):
            print_json(each)
    elif resume:
        _tell(run(_resume(state)), as_json)
    elif replay:
        _tell(run(_replay(state, _read_proofs(replay))), as_json)
    else:
        name, kind = _named(customer, identity)
        _erase(state, name, kind, reason, yes=yes, dry_run=dry_run, as_json=as_json)


def export(
    customer: Annotated[str, typer.Argument(help="Our id, or any of their names.")],
    to: Annotated[Path, typer.Option(help="The folder that the zip is written to.")] = Path(),
    state: State = STATE,
    as_json: AsJson = False,
) -> None:
    """Write everything that we hold of a customer to a zip: JSON, and a table for each kind of thing."""
    from stores.export_files import as_json as packed_json
    from stores.export_files import as_zip

    held = run(_export(state, customer))
    if as_json:
        print(packed_json(held).decode(), flush=True)
        return
    path = to / f"{held['customer']}.zip"
    try:
        to.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(as_zip(held))
    except OSError as error:
        words = f"{path}: cannot be written: {error.strerror}. Name another folder with --to."
        raise CommandError(words) from None
    rows = sum(len(cast("list[Any]", each)) for each in held.values() if isinstance(each, list))
    say(f"{path}: {rows} rows. It holds personal data: hand it to the customer, then delete it.")


# -- erasing


def _named(customer: str | None, identity: str | None) -> tuple[str, str | None]:
    if identity is None:
        return customer or "", None
    kind, colon, value = identity.partition(":")
    if not colon or not kind or not value:
        wrong_use(
            f"--identity {identity}: write the kind and the name, such as email:anna@example.com."
        )
    return value, kind


def _erase(
    state: Path,
    name: str,
    kind: str | None,
    reason: str,
    *,
    yes: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    shown = run(_preview(state, name, kind))
    if dry_run:
        if as_json:
            print_json(shown)
        else:
            _show(shown)
        return
    if not as_json:
        _show(shown)
    if not yes:
        typer.confirm("Erase all of it? There is no way back", abort=True, err=True)
    _tell([run(_carry_out(state, shown.customer, reason))], as_json)


def _show(shown: "Preview") -> None:
    print_table(("table", "rows"), sorted(shown.counts.items()))
    say(
        f"\n{shown.customer}: {sum(shown.counts.values())} rows; {shown.open_runs} open runs end at once,"
        f" {shown.open_cases} open cases go. What was sent is sent; backups hold what they hold."
    )


def _tell(proofs: "list[Proof]", as_json: bool) -> None:
    if as_json:
        print_json(proofs[0] if len(proofs) == 1 else proofs)
        return
    if not proofs:
        say("There is nothing to erase.")
    for proof in proofs:
        print_table(("table", "rows that went"), sorted(proof.counts.items()))
        say(
            f"\nErasure {proof.erasure}: {proof.state}. {proof.executions} executions deleted,"
            f" {proof.keys} keys destroyed, {proof.addresses} addresses never written to again."
        )
        if proof.digest:
            say(
                f"Asked by {proof.asked_by} at {proof.begun_at:%Y-%m-%d %H:%M} UTC. SHA-256 {proof.digest}"
            )
        else:
            say("It is carried on by the router, or by clew erase --resume.")


def _read_proofs(path: Path) -> list[dict[str, Any]]:
    try:
        told = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
        return [
            {"erasure": str(each["erasure"]), "customers": list(each["customers"])} for each in told
        ]
    except OSError as error:
        raise CommandError(f"{path}: cannot be read: {error.strerror}.") from None
    except (ValueError, KeyError, TypeError):
        raise CommandError(
            f"{path}: these are no proofs; clew erase --proofs writes them."
        ) from None


async def _preview(state: Path, name: str, kind: str | None) -> "Preview":
    from cli.installation import database
    from stores.erasures import NobodyToEraseError

    async with database(state) as pool:
        try:
            return await _store(pool, state).preview(name, kind=kind)
        except NobodyToEraseError as error:
            raise CommandError(f"{error}.") from None


async def _carry_out(state: Path, customer: str, reason: str) -> "Proof":
    from cli.installation import database

    async with database(state) as pool:
        store = _store(pool, state)
        erasure = await store.begin(customer, by=_who(), reason=reason)
        return await _finish(state, pool, erasure)


async def _resume(state: Path) -> "list[Proof]":
    from cli.installation import database

    async with database(state) as pool:
        begun = [each for each in await _store(pool, state).proofs() if each.state != "done"]
        return [await _finish(state, pool, each.erasure) for each in begun]


async def _replay(state: Path, proofs: list[dict[str, Any]]) -> "list[Proof]":
    from cli.installation import database

    async with database(state) as pool:
        store = _store(pool, state)
        made: list[Proof] = []
        for customer, erasure in await store.brought_back(proofs):
            again = await store.begin(
                customer, by=_who(), reason=f"again, after a restore: {erasure}"
            )
            made.append(await _finish(state, pool, again))
        return made


async def _finish(state: Path, pool: "Pool", erasure: str) -> "Proof":
    from cli.installation import temporal
    from workers.erasing import eraser

    try:
        client = await temporal(state)
    except CommandError as error:
        raise CommandError(
            f"{error} Erasure {erasure} is begun: nothing more is taken in. Finish it: clew erase --resume"
        ) from None
    await eraser(pool, client).finish(erasure)
    return await _store(pool, state).proof(erasure)


async def _proof(state: Path, erasure: str) -> "Proof":
    from cli.installation import database
    from stores.erasures import UnknownErasureError

    async with database(state) as pool:
        try:
            return await _store(pool, state).proof(erasure)
        except UnknownErasureError as error:
            raise CommandError(f"{error}. clew erase --proofs lists them.") from None


async def _proofs(state: Path) -> "list[Proof]":
    from cli.installation import database

    async with database(state) as pool:
        return await _store(pool, state).proofs()


async def _export(state: Path, name: str) -> dict[str, Any]:
    from datetime import UTC, datetime

    from cli.installation import database
    from stores.customers import CustomerStore
    from stores.held_data import HeldDataStore

    async with database(state) as pool:
        found = await CustomerStore(pool).find(name)
        held = await HeldDataStore(pool).export(found.customer, None) if found else None
        if found is not None:
            await write_down(pool, "exported", f"customer {found.customer}")
    if held is None:
        raise CommandError(f"Nobody is known as {name}.")
    return {"exported_at": datetime.now(UTC), **held}


def _store(pool: "Pool", state: Path) -> "ErasureStore":
    from workers.erasing import erasures

    return erasures(pool, signing(state)[1])


def _who() -> str:
    return f"command: {getpass.getuser()}"
