"""`clew backtest`: a journey over recorded touchpoints, and what would have happened. Needs no server."""

import time
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import WRONG_USE, AsJson, CommandError, print_json, print_table, say, wrong_use

if TYPE_CHECKING:
    from cli.backtest_run import Done
    from insight.backtest_figures import ToldRun
    from insight.backtest_report import Report
    from insight.backtest_world import StaffRules
    from journey.publication import Publishable

_File = Annotated[Path, typer.Argument(metavar="FILE", help="The journey, or its folder.")]
_Events = Annotated[
    str,
    typer.Option(
        metavar="PATH",
        help="Touchpoints as `clew import` takes them, one JSON object a line (.gz too); or cdnow, or flights.",
    ),
]
_Traits = Annotated[
    Path | None,
    typer.Option(
        metavar="PATH",
        help="What is known of customers, one JSON object a line: customer, traits, zone, addresses.",
    ),
]
_Staff = Annotated[
    str | None,
    typer.Option(
        metavar="DECISION|PATH",
        help="How staff decide after 2h: a decision, or `first` of those offered; or rules by queue in YAML. "
        "Cases stay open without it.",
    ),
]
_Into = Annotated[
    str | None,
    typer.Option(
        metavar="DATABASE_URL",
        help="Write what it made into this PostgreSQL, which has the schema of Clew.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("backtest")(backtest)


def backtest(
    file: _File,
    events: _Events,
    first_day: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="The first day.")
    ] = None,
    last_day: Annotated[
        str | None, typer.Option("--until", metavar="DATE", help="The last day.")
    ] = None,
    customers: Annotated[
        int | None, typer.Option(help="Only so many customers, drawn by lot.", min=1)
    ] = None,
    traits: _Traits = None,
    staff: _Staff = None,
    examples: Annotated[
        int, typer.Option(help="Tell so many customers in full.", min=0, max=1_000)
    ] = 0,
    day: Annotated[
        str | None, typer.Option(metavar="DATE", help="Of --events flights: a day of 2013.")
    ] = None,
    passengers: Annotated[
        int, typer.Option(help="Of --events flights: how many fly.", min=1, max=100_000)
    ] = 300,
    processes: Annotated[
        int | None, typer.Option(help="How many work side by side; this machine's cores.", min=1)
    ] = None,
    into: _Into = None,
    add: Annotated[
        bool, typer.Option("--add", help="Write also where there are runs already.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run a journey over recorded touchpoints: who would have entered, what they would have got, and why not.

    Everything goes by the rules of the real thing, with the clock of the recording. Nothing is sent.
    """
    from cli.backtest_run import Wish, carry_out, cores
    from cli.backtest_sources import source_of

    began = time.perf_counter()
    wish = Wish(
        journey=_journey(file),
        source=source_of(events, _day("--day", day), passengers),
        traits=_existing(traits),
        first_day=_day("--from", first_day),
        last_day=_day("--until", last_day),
        customers=customers,
        staff=_staff(staff),
        examples=examples,
        processes=processes or cores(),
        into=into,
        add=add,
    )
    done = carry_out(wish)
    _tell(wish.journey, done, time.perf_counter() - began, examples=examples, as_json=as_json)


def _tell(
    journey: "Publishable", done: "Done", seconds: float, *, examples: int, as_json: bool
) -> None:
    from insight.backtest_plain import as_plain
    from insight.backtest_report import report

    for unread in done.unread:
        say(str(unread))
    if done.wrong > len(done.unread):
        say(f"… and {done.wrong - len(done.unread):,} lines more that are no touchpoints.")
    stories = done.figures.stories(examples)
    if as_json:
        plain = as_plain(journey.program, done.figures, done.begins, done.ends)
        ending = {"lines_wrong": done.wrong, "seconds": round(seconds, 3)}
        print_json({**plain, "examples": stories, **ending})
        return
    _print(report(journey.program, done.figures, done.begins, done.ends))
    for story in stories:
        _print_story(story, journey.program.zone)
    if done.together:
        say(f"\nAll customers were played together: {done.together}.")
    wrong = f"; {done.wrong:,} lines were no touchpoints" if done.wrong else ""
    say(f"\n{done.figures.runs:,} runs in {seconds:.1f} s{wrong}.")
    say("Customers did what was recorded: it shows whom we meet and when, not what that changes.")


def _print(told: "Report") -> None:
    print(told.headline + "\n")
    for line in told.lines:
        print(line)
    for section in told.sections:
        print()
        print_table(section.columns, section.rows)
        if section.left_out:
            print(f"… and {section.left_out:,} more: --json has them all")


def _print_story(story: "ToldRun", zone: str) -> None:
    from zoneinfo import ZoneInfo

    goal = ", the goal" if story.goal else ""
    held = ", held out" if story.held_out else ""
    print(f"\nCustomer {story.customer}: {story.ended}{goal}{held}")
    print_table(
        ("", "", ""),
        [
            (f"{entry.at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}", entry.kind, entry.why)
            for entry in story.trace
        ],
    )


def _journey(path: Path) -> "Publishable":
    """The one journey meant, which passes the gate."""
    from cli.journey_files import check_files, find_files

    checked = check_files(find_files([path]), None)
    for problem in checked.problems:
        say(str(problem))
    if checked.problems:
        raise CommandError(f"{path}: {len(checked.problems)} problems; nothing was played.")
    if len(checked.journeys) != 1:
        raise CommandError(
            f"{path}: holds {len(checked.journeys)} journeys; name the file of one.", WRONG_USE
        )
    return checked.journeys[0]


def _staff(told: str | None) -> "StaffRules":
    from insight.backtest_world import EVERY_QUEUE, StaffRule, StaffRuleError, read_staff_rules
    from journey.document import InvalidDocumentError

    if told is None:
        return {}
    path = Path(told)
    if not path.is_file():
        if path.suffix:
            wrong_use(f"--staff {told}: there is no such file.")
        return {EVERY_QUEUE: StaffRule(decision=told)}
    try:
        return read_staff_rules(path.read_text(encoding="utf-8"), str(path))
    except (StaffRuleError, UnicodeDecodeError) as error:
        raise CommandError(f"{path}: {error}", WRONG_USE) from None
    except InvalidDocumentError as error:
        raise CommandError(str(error), WRONG_USE) from None


def _existing(path: Path | None) -> Path | None:
    if path is not None and not path.is_file():
        wrong_use(f"--traits {path}: there is no such file.")
    return path


def _day(option: str, text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        wrong_use(f"{option} {text}: is no day; write one such as 1997-06-30.")
