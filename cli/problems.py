"""`clew problems`, `clew problem`: one cause behind many calls, and whom it touches."""

import contextlib
import getpass
from dataclasses import asdict
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
    from collections.abc import Awaitable, Callable

    from stores.problem_answers import AnsweredCases
    from stores.problems import NewProblem, Problem, ProblemStore

_Name = Annotated[str, typer.Argument(metavar="NAME", help="The problem, such as outage-north.")]
_Words = Annotated[str, typer.Option("--words", help="What customers are told.")]
_By = Annotated[str | None, typer.Option("--by", help="Who says so. Left out: you.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("problems")(problems)
    group = typer.Typer(no_args_is_help=True, help="Open, update and mend a problem.")
    for name, command in (
        ("show", show),
        ("open", open_),
        ("update", update),
        ("mend", mend),
        ("reopen", reopen),
        ("link", link),
        ("answer", answer),
    ):
        group.command(name)(command)
    app.add_typer(group, name="problem")


def problems(
    state_of_problem: Annotated[
        str, typer.Option("--problem-state", help="open, mended or all.")
    ] = "open",
    state: State = STATE,
    as_json: AsJson = False,
) -> None:
    """List problems, the newest first."""
    if state_of_problem not in ("open", "mended", "all"):
        wrong_use(f"--problem-state {state_of_problem}: it is one of open, mended, all.")
    wanted = None if state_of_problem == "all" else state_of_problem
    found = run(_with(state, lambda store: store.problems(state=wanted)))
    if as_json:
        print_json([asdict(problem) for problem in found])
        return
    columns = ("problem", "state", "since", "title", "told to customers")
    rows = [(p.problem, p.state, p.opened_at, p.title, p.words) for p in found]
    print_table(columns, rows)


def show(name: _Name, state: State = STATE, as_json: AsJson = False) -> None:
    """Show a problem: its news, and how many it touches and were told."""
    told = run(_with(state, lambda store: _told(store, name)))
    if as_json:
        print_json(told)
        return
    say(f"{told['title']} ({told['state']}, since {told['opened_at']:%Y-%m-%d %H:%M} UTC)")
    say(f"Why: {told['why']}")
    say(
        f"Touches {told['touched']}: {told['told']} were told, {told['to_tell']} wait to be,"
        f" {told['cases']} have a case about it."
    )
    rows = [(each["at"], each["news"], each["by"], each["words"]) for each in told["news"]]
    print_table(("at", "news", "by", "words"), rows)


def open_(
    name: _Name,
    title: Annotated[str, typer.Option("--title", help="What is wrong, for staff.")],
    why: Annotated[str, typer.Option("--why", help="The cause, as far as it is known.")],
    words: Annotated[str, typer.Option("--words", help="What customers are told.")] = "",
    where: Annotated[
        str | None, typer.Option("--where", help="Whom it touches: CEL over customer.")
    ] = None,
    subject: Annotated[
        str | None, typer.Option("--subject", help="What it is about, as KIND:ID, batch:B7.")
    ] = None,
    journey: Annotated[
        str | None, typer.Option("--journey", help="Whoever has a run of it: JOURNEY[:STAGE].")
    ] = None,
    customer: Annotated[
        list[str] | None, typer.Option("--customer", help="Somebody whom it touches.")
    ] = None,
    queue: Annotated[
        list[str] | None,
        typer.Option("--queue", help="An open case in this queue is about this problem."),
    ] = None,
    say_at: Annotated[
        list[str] | None,
        typer.Option("--say-at", help="Where it is said to anyone, such as ivr."),
    ] = None,
    with_: Annotated[
        list[str] | None,
        typer.Option("--with", help="More that its touchpoints carry: what=internet."),
    ] = None,
    by: _By = None,
    state: State = STATE,
    as_json: AsJson = False,
) -> None:
    """Open a problem; everybody whom it touches is told, in portions, from now on."""
    from stores.problems import NewProblem

    new = NewProblem(
        problem=_slug(name),
        title=title,
        words=words or title,
        why=why,
        properties=_properties(with_ or []),
        audience=where,
        subject=_pair(subject, "--subject") if subject else None,
        journey=journey.partition(":")[0] if journey else None,
        stage=(journey.partition(":")[2] or None) if journey else None,
        queues=queue or [],
        places=[_slug(each) for each in say_at or []],
    )
    if not (new.audience or new.subject or new.journey or customer):
        wrong_use("It touches nobody: give --where, --subject, --journey or --customer.")
    opened = run(_open(state, new, customer or [], _who(by)))
    if as_json:
        print_json(asdict(opened))
    else:
        say(f"Open: {opened.problem}. `clew problem show {opened.problem}` says who was told.")


def update(
    name: _Name,
    words: _Words,
    with_: Annotated[
        list[str] | None,
        typer.Option("--with", help="More that its touchpoints carry from now on: until=…."),
    ] = None,
    by: _By = None,
    state: State = STATE,
) -> None:
    """Tell everybody whom it touches something new."""
    more = _properties(with_ or [])
    run(_with(state, lambda store: store.update(name, words, by=_who(by), properties=more)))
    say("Everybody whom it touches is told.")


def mend(
    name: _Name,
    words: Annotated[str | None, typer.Option("--words", help="What customers are told.")] = None,
    by: _By = None,
    state: State = STATE,
) -> None:
    """It works again: everybody whom it touched is told, once."""
    run(_with(state, lambda store: store.mend(name, words, by=_who(by))))
    say("Everybody whom it touched is told.")


def reopen(name: _Name, words: _Words, by: _By = None, state: State = STATE) -> None:
    """It was not mended after all; everybody whom it touches is told."""
    run(_with(state, lambda store: store.reopen(name, words, by=_who(by))))
    say("It is open again; everybody whom it touches is told.")


def link(
    name: _Name,
    customer: Annotated[str | None, typer.Option("--customer", help="Whom it touches.")] = None,
    case: Annotated[
        str | None, typer.Option("--case", help="A case about it, as `clew cases` shows it.")
    ] = None,
    by: _By = None,
    state: State = STATE,
) -> None:
    """Say of a customer that it touches them, or of a case that it is about it."""
    if (customer is None) == (case is None):
        wrong_use("Give either --customer or --case.")
    run(_link(state, name, customer, case, _who(by)))
    say("Linked.")


def answer(
    name: _Name,
    decision: Annotated[
        list[str],
        typer.Option("--decision", help="What is decided; of several the first on offer."),
    ],
    with_: Annotated[
        list[str] | None, typer.Option("--field", help="A field of the decision: amount=5.")
    ] = None,
    note: Annotated[str, typer.Option("--note", help="What the customers' journeys hear.")] = "",
    by: _By = None,
    state: State = STATE,
    as_json: AsJson = False,
) -> None:
    """Decide all cases of a problem at once, each by the first of these decisions that it offers."""
    told = run(_answer(state, name, decision, _fields(with_ or []), note, _who(by)))
    if as_json:
        print_json(asdict(told))
        return
    say(f"Answered {len(told.answered)} cases.")
    if told.not_answered:
        print_table(("case", "not answered, because"), list(told.not_answered.items()))


async def _answer(
    state: Path, name: str, decisions: list[str], fields: dict[str, Any], note: str, by: str
) -> "AnsweredCases":
    from cli.installation import database
    from stores.case_desk import CaseDesk
    from stores.problem_answers import ProblemAnswers
    from stores.problems import UnknownProblemError

    async with database(state) as pool:
        try:
            desk = ProblemAnswers(pool, CaseDesk(pool))
            return await desk.answer(name, decisions, fields, by=by, note=note)
        except UnknownProblemError as error:
            raise CommandError(f"{error.args[0]}. `clew problems` lists them.") from None


def _fields(pairs: list[str]) -> dict[str, Any]:
    """Numbers and yes or no as they are written, all else as text."""
    fields: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            wrong_use(f"--field {pair}: write it as name=value.")
        fields[name] = {"true": True, "false": False}.get(text, text)
        for read in (float, int):
            with contextlib.suppress(ValueError):
                fields[name] = read(text)
    return fields


async def _with(state: Path, work: "Callable[[ProblemStore], Awaitable[Any]]") -> Any:
    from cli.installation import database
    from journey.conditions import ConditionError
    from stores.problems import (
        ProblemExistsError,
        ProblemStateError,
        ProblemStore,
        UnknownProblemError,
    )

    async with database(state) as pool:
        try:
            return await work(ProblemStore(pool))
        except UnknownProblemError as error:
            raise CommandError(f"{error.args[0]}. `clew problems` lists them.") from None
        except (ProblemExistsError, ProblemStateError) as error:
            raise CommandError(str(error)) from None
        except ConditionError as error:
            raise CommandError(f"--where: {error}", WRONG_USE) from None


async def _told(store: "ProblemStore", name: str) -> dict[str, Any]:
    problem = await store.named(name)
    if problem is None:
        raise CommandError(f"There is no problem {name}. `clew problems` lists them.")
    figures, news = await store.figures(problem), await store.news(name)
    return {**asdict(problem), **figures, "news": news}


async def _open(state: Path, new: "NewProblem", customers: list[str], by: str) -> "Problem":
    from dataclasses import replace

    from cli.installation import database
    from stores.customers import CustomerStore

    async with database(state) as pool:
        store = CustomerStore(pool)
        known = [await store.known(each) for each in customers]
    return await _with(state, lambda store: store.open(replace(new, customers=known), by=by))


async def _link(state: Path, name: str, customer: str | None, case: str | None, by: str) -> None:
    from cli.installation import database
    from stores.cases import CaseStore
    from stores.customers import CustomerStore

    async with database(state) as pool:
        if case is not None:
            found = await CaseStore(pool).named(case)
            if found is None:
                raise CommandError(f"There is no case {case}. `clew cases` lists them.")
            whom, about = found.customer, found.case
        else:
            whom, about = await CustomerStore(pool).known(f"{customer}"), None
    await _with(state, lambda store: store.link(name, whom, by=by, case=about))


def _who(by: str | None) -> str:
    return by or f"command: {getpass.getuser()}"


def _slug(name: str) -> str:
    from pydantic import TypeAdapter, ValidationError

    from journey.language import Slug

    try:
        return TypeAdapter(Slug).validate_python(name)
    except ValidationError:
        wrong_use(f"{name}: write it in lower case with dashes, such as outage-north.")


def _pair(text: str, option: str) -> tuple[str, str]:
    kind, colon, named = text.partition(":")
    if not (kind and colon and named):
        wrong_use(f"{option} {text}: write it as KIND:ID, such as batch:B7.")
    return kind, named


def _properties(pairs: list[str]) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            wrong_use(f"--with {pair}: write it as name=value.")
        properties[name] = text
    return properties
