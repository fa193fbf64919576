"""`clew cases`, `clew decide`: what customers were handed over to staff for."""

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
    from pydantic import JsonValue

    from stores.case_rows import Case


KNOWN = (
    *("open", "claimed", "snoozed", "pending", "reopened", "resolved", "expired", "closed"),
    *("under-way", "all"),
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("cases")(cases)
    app.command("decide")(decide)


def cases(
    state_of_case: Annotated[
        str, typer.Option("--case-state", help=f"{', '.join(KNOWN)}.")
    ] = "open",
    queue: Annotated[str | None, typer.Option(help="Only those of this queue of staff.")] = None,
    assignee: Annotated[str | None, typer.Option(help="Only those that they have.")] = None,
    customer: Annotated[str | None, typer.Option(help="Only theirs: any name of theirs.")] = None,
    place: Annotated[str | None, typer.Option(help="Only those of this shop or branch.")] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only those late now.")] = False,
    most: Annotated[int, typer.Option(help="How many at most.", min=1)] = 50,
    state: State = STATE,
    as_json: AsJson = False,
) -> None:
    """List cases: those to be answered soonest first."""
    if state_of_case not in KNOWN:
        wrong_use(f"--case-state {state_of_case}: it is one of {', '.join(KNOWN)}.")
    wanted = {"queue": queue, "assignee": assignee, "customer": customer, "place": place}
    found = run(_cases(state, _states(state_of_case, late=overdue), wanted, most, late=overdue))
    if as_json:
        print_json([_plain(case) for case in found])
        return
    print_table(
        ("case", "queue", "state", "who", "answer by", "brief", "decisions"),
        [
            (
                case.short_name,
                case.queue,
                case.state,
                case.claimed_by,
                case.next_answer_by or case.first_answer_by or case.resolve_by,
                case.brief,
                [_offer(name, offered.fields) for name, offered in case.decisions.items()],
            )
            for case in found
        ],
    )


def decide(
    case: Annotated[str, typer.Argument(help="The case, as `clew cases` shows it: 12:3.")],
    decision: Annotated[str, typer.Argument(help="One of the decisions that it offers.")],
    by: Annotated[str, typer.Option("--by", help="Who decides.")],
    field: Annotated[
        list[str] | None, typer.Option("--field", help="A field of the decision: amount=50.")
    ] = None,
    ask: Annotated[
        str | None, typer.Option(help="Where it is above your authority: ask, with these words.")
    ] = None,
    note: Annotated[str, typer.Option("--note", help="What the customer's journeys hear.")] = "",
    feeling: Annotated[
        str, typer.Option("--feeling", help="How the customer feels, as you read it.")
    ] = "",
    lacked: Annotated[str, typer.Option("--lacked", help="What would have helped you.")] = "",
    state: State = STATE,
    as_json: AsJson = False,
) -> None:
    """Decide a case; where a run opened it, the decision picks the run's path."""
    learned: dict[str, Any] = {"note": note, "feeling": feeling, "lacked": lacked}
    decided = run(_decide(state, case, decision, by, field or [], ask, learned))
    if as_json:
        print_json(_plain(decided))
    elif decided.approval is not None:
        say("Asked: it waits for somebody who may. `clew case approve` decides.")
    else:
        goes_on = " The run goes on." if decided.of_a_run else ""
        say(f"Decided: {decided.decision}.{goes_on}")


def _states(said: str, *, late: bool) -> tuple[str, ...] | None:
    from journey.case_clock import OVER

    if said == "under-way" or (late and said == "open"):
        return tuple(each for each in KNOWN[:8] if each not in OVER)
    return None if said == "all" else (said,)


async def _cases(
    state: Path,
    states: tuple[str, ...] | None,
    wanted: dict[str, str | None],
    most: int,
    *,
    late: bool,
) -> "list[Case]":
    from datetime import UTC, datetime

    from cli.installation import database
    from stores.case_lists import CaseFilter, CaseListStore
    from stores.customers import CustomerStore

    async with database(state) as pool:
        named = wanted["customer"]
        found = await CustomerStore(pool).find(named) if named else None
        asked = CaseFilter(
            states=states,
            queue=wanted["queue"],
            assignee=wanted["assignee"],
            customer=found.customer if found else named,
            place=wanted["place"],
            overdue=datetime.now(UTC) if late else None,
        )
        return (await CaseListStore(pool).page(asked, None, most)).cases


async def _decide(
    state: Path,
    case: str,
    decision: str,
    by: str,
    given: list[str],
    ask: str | None,
    learned: dict[str, Any],
) -> "Case":
    from activities.staff_cases import UnknownCaseError
    from cli.installation import database
    from journey.decisions import (
        AuthorityExceededError,
        UnknownDecisionError,
        WrongFieldError,
    )
    from stores.case_decisions import (
        CaseAlreadyClaimedError,
        CaseAlreadyDecidedError,
        CaseClosedError,
        NotYoursError,
    )
    from stores.case_desk import CaseDesk
    from stores.feelings import UnknownFeelingError

    async with database(state) as pool:
        store = CaseDesk(pool)
        found = await store.named(case)
        if found is None:
            raise CommandError(f"There is no case {case}. `clew cases` lists them.")
        offered = found.decisions.get(decision)
        fields = _fields(given, offered.fields if offered else {})
        try:
            return await store.decide(found.case, decision, fields, by=by, ask=ask, **learned)
        except (UnknownDecisionError, UnknownFeelingError, WrongFieldError) as error:
            raise CommandError(str(error), WRONG_USE) from None
        except AuthorityExceededError as error:
            raise CommandError(f"{error}. Add --ask WHY, and somebody who may is asked.") from None
        except (
            CaseAlreadyClaimedError,
            CaseAlreadyDecidedError,
            CaseClosedError,
            NotYoursError,
            UnknownCaseError,
        ) as error:
            raise CommandError(str(error)) from None


def _fields(given: list[str], kinds: dict[str, str]) -> "dict[str, JsonValue]":
    """`name=value` pairs, read as the decision says; what it does not know is left as text."""
    fields: dict[str, JsonValue] = {}
    for pair in given:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            wrong_use(f"--field {pair}: write it as name=value.")
        fields[name] = _read(text, kinds.get(name, "text"))
    return fields


def _read(text: str, kind: str) -> "JsonValue":
    try:
        match kind:
            case "integer":
                return int(text)
            case "number":
                return float(text)
            case "boolean" if text in ("true", "false"):
                return text == "true"
            case _:
                return text
    except ValueError:
        return text  # the store says what is wrong with it


def _offer(name: str, fields: dict[str, str]) -> str:
    return (
        f"{name} ({', '.join(f'{field}: {kind}' for field, kind in fields.items())})"
        if fields
        else name
    )


def _plain(case: "Case") -> dict[str, Any]:
    from dataclasses import asdict

    return {**asdict(case), "name": case.short_name}
