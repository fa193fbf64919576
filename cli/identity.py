"""`clew merge`, `unmerge`, `merges`, `traits`: who is who, and what is known of what they have."""

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import STATE, AsJson, CommandError, State, print_json, print_table, run, say

if TYPE_CHECKING:
    from stores.staff_merges import Merge, RefusedName
    from stores.trait_types import KnownTrait

_Name = Annotated[str, typer.Argument(metavar="CUSTOMER", help="Our id, or any of their names.")]
_Why = Annotated[str, typer.Option("--why", help="Why; it is kept with the merge.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("merge")(merge)
    app.command("unmerge")(unmerge)
    app.command("merges")(merges)
    app.command("traits")(traits)


def merge(
    one: _Name, other: _Name, why: _Why, state: State = STATE, as_json: AsJson = False
) -> None:
    """Make two customers one. Of two runs in one journey the one further along stays."""
    made = run(_merge(state, one, other, why))
    if as_json:
        print_json(made)
    else:
        say(f"Merge {made.merge}: {made.goes} became {made.stays}. Undo: clew unmerge {made.merge}")


def unmerge(
    number: Annotated[int, typer.Argument(metavar="MERGE", help="Its number: clew merges.")],
    why: _Why,
    state: State = STATE,
    as_json: AsJson = False,
) -> None:
    """Part two customers again: names, rows, traits and runs go back as they were."""
    undone = run(_unmerge(state, number, why))
    if as_json:
        print_json(undone)
        return
    say(f"{undone.goes} and {undone.stays} are two again; names alone will not make them one.")
    say("What happened since the merge stays with whom it happened to.")


def merges(customer: _Name, state: State = STATE, as_json: AsJson = False) -> None:
    """List who became this customer, and which names were not tied to them and why."""
    made, refused = run(_merges(state, customer))
    if as_json:
        print_json({"merges": made, "refused": refused})
        return
    columns = ("merge", "at", "stays", "went", "by", "why", "rows moved", "undone")
    print_table(
        columns,
        [
            (m.merge, m.at, m.stays, m.goes, m.by, m.why, m.moved, m.undone_why or m.undone_at)
            for m in made
        ],
    )
    if refused:
        say("\nNames that are not tied to them:")
        rows = [(r.kind, r.value, r.leads_to, r.why, r.times, r.at) for r in refused]
        print_table(("kind", "name", "leads to", "why", "times", "last"), rows)


def traits(state: State = STATE, as_json: AsJson = False) -> None:
    """List traits with their types: pinned in identities.yaml, or learned from what came first."""
    found = run(_traits(state))
    if as_json:
        print_json(found)
        return
    rows = [(t.trait, t.type, t.how, t.seen, t.differ, t.example) for t in found]
    print_table(("trait", "type", "how", "seen", "of another type", "such as"), rows)


# -- the work


async def _merge(state: Path, one: str, other: str, why: str) -> "Merge":
    from cli.installation import database
    from stores.staff_merges import MergeStore

    async with database(state) as pool:
        return await _told(MergeStore(pool).merge(one, other, by=_who(), why=why))


async def _unmerge(state: Path, number: int, why: str) -> "Merge":
    from cli.installation import database
    from stores.staff_merges import MergeStore

    async with database(state) as pool:
        return await _told(MergeStore(pool).unmerge(number, by=_who(), why=why))


async def _merges(state: Path, customer: str) -> "tuple[list[Merge], list[RefusedName]]":
    from cli.installation import database
    from stores.staff_merges import MergeStore

    async with database(state) as pool:
        store = MergeStore(pool)
        return await _told(store.of(customer)), await _told(store.refused(customer))


async def _traits(state: Path) -> "list[KnownTrait]":
    from cli.installation import database
    from stores.trait_types import TraitTypeStore

    async with database(state) as pool:
        return await TraitTypeStore(pool).traits()


async def _told(work: Any) -> Any:
    from stores.staff_merges import (
        RunsBeingToldError,
        SameCustomerError,
        UnknownCustomerError,
        UnknownMergeError,
    )
    from stores.unmerges import CannotBePartedError

    try:
        return await work
    except (
        CannotBePartedError,
        RunsBeingToldError,
        SameCustomerError,
        UnknownCustomerError,
        UnknownMergeError,
    ) as error:
        raise CommandError(f"{error}.") from None


def _who() -> str:
    return f"command: {getpass.getuser()}"
