"""`clew case`: what staff do with a case, by command: claim, pass on, put off, approve, open again."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import STATE, CommandError, State, print_table, run, say, wrong_use

if TYPE_CHECKING:
    from stores.case_desk import CaseDesk
    from stores.case_rows import Case

_Case = Annotated[str, typer.Argument(help="The case, as `clew cases` shows it: 12:3.")]
_By = Annotated[str, typer.Option("--by", help="Who does it.")]
_Why = Annotated[str, typer.Option("--why", help="Why; it is kept with the case.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="What staff do with one case.", no_args_is_help=True)
    for name, command in {
        "show": show, "claim": claim, "let-go": let_go, "hand-over": hand_over, "snooze": snooze,
        "wait-for-customer": wait_for_customer, "go-on": go_on, "note": note, "verify": verify, "approve": approve,
        "disapprove": disapprove, "reopen": reopen, "merge": merge,
    }.items():  # fmt: skip
        group.command(name)(command)
    app.add_typer(group, name="case")


def show(case: _Case, state: State = STATE) -> None:
    """Show what happened to a case, the oldest first."""
    from stores.case_events import CaseEvent

    async def events() -> "tuple[Case, list[CaseEvent]]":
        from cli.installation import database
        from stores.case_desk import CaseDesk
        from stores.case_events import CaseEventStore

        async with database(state) as pool:
            found = await _present(CaseDesk(pool), case)
            return found, await CaseEventStore(pool).of(found.case)

    found, happened = run(events())
    say(f"{found.short_name}: {found.words or found.state}\n{found.brief}")
    rows = [(each.at, each.who, each.did, each.why) for each in happened]
    print_table(("at (UTC)", "who", "did", "why"), rows)


def claim(case: _Case, by: _By, state: State = STATE) -> None:
    """Take a case on."""
    _do(state, case, lambda desk, it: desk.claim(it, by))


def let_go(case: _Case, by: _By, why: _Why = "", state: State = STATE) -> None:
    """Put a case back into its queue."""
    _do(state, case, lambda desk, it: desk.let_go(it, by, why=why))


def hand_over(
    case: _Case,
    by: _By,
    note: Annotated[str, typer.Option(help="What they must know.")],
    queue: Annotated[str | None, typer.Option(help="To this queue.")] = None,
    to: Annotated[str | None, typer.Option(help="To this member.")] = None,
    state: State = STATE,
) -> None:
    """Pass a case on, to another queue or to somebody."""
    if queue is None and to is None:
        wrong_use("name a --queue, or a member with --to.")
    _do(state, case, lambda desk, it: desk.hand_over(it, by, queue=queue, to=to, note=note))


def snooze(
    case: _Case,
    by: _By,
    until: Annotated[datetime | None, typer.Option(help="Until then (UTC).")] = None,
    event: Annotated[str | None, typer.Option(help="Or until this touchpoint comes.")] = None,
    state: State = STATE,
) -> None:
    """Put a case off until a moment, or a touchpoint comes."""
    from datetime import UTC

    if until is None and event is None:
        wrong_use("say --until, or --event.")
    moment = until.replace(tzinfo=UTC) if until is not None else None
    _do(state, case, lambda desk, it: desk.snooze(it, by, until=moment, event=event))


def wait_for_customer(case: _Case, by: _By, state: State = STATE) -> None:
    """The customer is to answer; deadlines stand still."""
    _do(state, case, lambda desk, it: desk.wait_for_customer(it, by))


def go_on(case: _Case, by: _By, state: State = STATE) -> None:
    """Take up again what was put off."""
    _do(state, case, lambda desk, it: desk.go_on(it, by))


def note(
    case: _Case,
    by: _By,
    text: Annotated[str, typer.Option(help="What to write down.")],
    state: State = STATE,
) -> None:
    """Write something down for whoever works on it."""
    _do(state, case, lambda desk, it: desk.note(it, by, text))


def verify(
    case: _Case,
    by: _By,
    how: Annotated[str, typer.Option(help="By what: date of birth, order number, passport.")],
    state: State = STATE,
) -> None:
    """Whoever the case came from proved to be the customer: what was withheld is shown."""
    _do(state, case, lambda desk, it: desk.verify(it, by, how))


def approve(case: _Case, by: _By, why: _Why = "", state: State = STATE) -> None:
    """Let a decision that was asked for be taken."""
    _do(state, case, lambda desk, it: desk.approve(it, by, why=why))


def disapprove(case: _Case, by: _By, why: _Why, state: State = STATE) -> None:
    """Refuse a decision that was asked for; who asked goes on."""
    _do(state, case, lambda desk, it: desk.disapprove(it, by, why=why))


def reopen(case: _Case, by: _By, why: _Why, state: State = STATE) -> None:
    """Open a case again that is over."""
    _do(state, case, lambda desk, it: desk.reopen(it, by, why=why))


def merge(
    case: _Case,
    into: Annotated[str, typer.Option(help="The case that stays.")],
    by: _By,
    state: State = STATE,
) -> None:
    """Close a case that is about the same as another of this customer."""

    async def merged(desk: "CaseDesk", it: str) -> "Case":
        return await desk.merge(it, (await _present(desk, into)).case, by)

    _do(state, case, merged)


def _do(state: Path, case: str, act: "Callable[[CaseDesk, str], Awaitable[Case]]") -> None:
    done = run(_done(state, case, act))
    say(f"{done.short_name}: {done.words or done.state}")


async def _done(
    state: Path, case: str, act: "Callable[[CaseDesk, str], Awaitable[Case]]"
) -> "Case":
    from cli.installation import database
    from journey.decisions import AuthorityExceededError
    from stores.case_decisions import (
        ApprovalRefusedError,
        CaseAlreadyClaimedError,
        CaseAlreadyDecidedError,
        CaseClosedError,
        NotYoursError,
    )
    from stores.case_desk import CaseDesk
    from stores.members import UnknownMemberError

    async with database(state) as pool:
        desk = CaseDesk(pool)
        found = await _present(desk, case)
        try:
            return await act(desk, found.case)
        except (
            ApprovalRefusedError, AuthorityExceededError, CaseAlreadyClaimedError,
            CaseAlreadyDecidedError, CaseClosedError, NotYoursError, UnknownMemberError, ValueError,
        ) as error:  # fmt: skip
            raise CommandError(str(error)) from None


async def _present(desk: "CaseDesk", case: str) -> "Case":
    found = await desk.named(case)
    if found is None:
        raise CommandError(f"There is no case {case}. `clew cases` lists them.")
    return found
