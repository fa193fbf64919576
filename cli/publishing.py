"""`clew publish`, `clew check`, `clew diff`, `clew schema`: journeys and messages from files."""

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

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
    from cli.journey_files import CheckedFiles
    from journey.program import Program
    from stores.database import Pool

_Files = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE…", help="Journeys (.yaml, .json), messages (.md), or folders that hold them."
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("check")(check)
    app.command("publish")(publish)
    app.command("diff")(diff)
    app.command("schema")(schema)


def check(files: _Files, as_json: AsJson = False) -> None:
    """Check journeys and messages; needs no server. Every problem is told with its place."""
    from cli.journey_files import check_files, find_files

    checked = check_files(find_files(files), None)
    _end_with_problems(checked, as_json=as_json, published=False)
    _warn(checked)
    if as_json:
        print_json(_told(checked))
    else:
        say(f"{_counted(checked)}: nothing is wrong.")


def publish(files: _Files, state: State = STATE, as_json: AsJson = False) -> None:
    """Check and publish: customers enter the new version from now on. All of it, or nothing."""
    checked = run(_publish(state, files))
    _end_with_problems(checked, as_json=as_json, published=True)
    _warn(checked)
    if as_json:
        print_json(_told(checked))
        return
    for definition in checked.journeys:
        say(f"Journey {definition.journey} is live as version {definition.version[:12]}.")
    if checked.voice is not None:
        say(f"The voice of {checked.voice.name} is live.")
    for file in checked.house:
        say(f"From {file.path}: what it says holds within seconds.")
    for what in ("blocks", "messages", "surveys", "offers"):
        if names := sorted(getattr(checked, what)):
            say(f"{what.capitalize()} are live: {', '.join(names)}.")


_Version = Annotated[Path, typer.Argument(metavar="JOURNEY", help="A journey file, or its folder.")]


def diff(old: _Version, new: _Version, as_json: AsJson = False) -> None:
    """Say what differs between two versions of a journey, and what becomes of who stands where when moved."""
    from insight.definition_changes import changes, standings

    before, after = one_journey(old), one_journey(new)
    found, moved = changes(before, after), standings(before, after)
    if as_json:
        print_json({"changes": found, "moved": moved})
        return
    if not found:
        say("The two say the same.")
        return
    columns = ("", "where", "was", "is now")
    print_table(columns, [(each.kind, each.place, each.was, each.now) for each in found])
    if moved:
        say("\nWho stands here and is moved to the new version cannot stay:")
        rows = [(each.address, each.step, each.becomes) for each in moved]
        print_table(("stands at", "step", "what becomes of them"), rows)
    else:
        say("\nWhoever is moved to the new version stays where they stand.")


def one_journey(path: Path) -> "Program":
    """The journey of a file, or of its folder; every problem is told with its place, and ends the command."""
    from cli.journey_files import check_files, find_files

    checked = check_files(find_files([path]), None)
    _end_with_problems(checked, as_json=False, published=False)
    if len(checked.journeys) != 1:
        raise CommandError(
            f"{path}: name one journey; here are {len(checked.journeys)}.", WRONG_USE
        )
    return checked.journeys[0].program


_Schema = Annotated[
    str,
    typer.Argument(
        metavar="WHAT",
        help="journey, touchpoints, personas, goals, policy, identities, feelings or problems.",
    ),
]


def schema(what: _Schema = "journey") -> None:
    """Print the JSON Schema of journeys, or of the files beside them, for editors."""
    from journey.house_files import HOUSE_KINDS, house_schema
    from journey.landscape_files import KINDS, landscape_schema
    from journey.publication import json_schema

    if what == "journey":
        print_json(json_schema())
        return
    if what in HOUSE_KINDS:
        print_json(house_schema(HOUSE_KINDS[HOUSE_KINDS.index(what)]))
        return
    if what not in KINDS:
        known = ", ".join(dict.fromkeys((*KINDS, *HOUSE_KINDS)))
        words = f"there is no schema of {what!r}; name journey, {known}."
        raise CommandError(words, WRONG_USE)
    print_json(landscape_schema(KINDS[KINDS.index(what)]))


async def _publish(state: Path, files: list[Path]) -> "CheckedFiles":
    from cli.installation import database
    from cli.journey_files import Published, check_files, find_files
    from cli.shared_publishing import held_to_live, live_words
    from stores.messages import MessageStore
    from stores.published import PublishedStore

    found = find_files(files)
    async with database(state) as pool:
        words = PublishedStore(pool)
        live = Published(
            messages=await MessageStore(pool).names(),
            surveys=await words.names("survey"),
            offers=await words.names("offer"),
            topics=await _live_topics(pool),
            shared=await live_words(pool),
        )
        checked = check_files(found, live)
        checked.problems += await held_to_live(pool, checked, live.shared)
        if not checked.problems:
            await _store(pool, checked)
        return checked


async def _live_topics(pool: "Pool") -> list[str] | None:
    from journey.house_policy import NO_POLICY
    from stores.house_policy import HousePolicyStore

    policy = await HousePolicyStore(pool).current()
    return None if policy is NO_POLICY else policy.topic_names


async def _store(pool: "Pool", checked: "CheckedFiles") -> None:
    """Words first: a journey that is live finds all that it sends, asks and gives."""
    from cli.house_files import publish_house
    from cli.shared_publishing import publish_shared
    from stores.audit import AuditStore
    from stores.definitions import DefinitionStore
    from stores.messages import MessageStore
    from stores.published import PublishedStore

    await publish_shared(pool, checked, who := f"command: {getpass.getuser()}")
    messages, definitions, audit = MessageStore(pool), DefinitionStore(pool), AuditStore(pool)
    for name, (message, source) in checked.messages.items():
        await messages.publish(name, source)
        await audit.record(who, "published", f"message {name}", {"revision": message.revision})
    words = PublishedStore(pool)
    for name, survey in checked.surveys.items():
        revision = await words.publish("survey", name, survey.model_dump(mode="json"))
        await audit.record(who, "published", f"survey {name}", {"revision": revision})
    for name, offer in checked.offers.items():
        revision = await words.publish("offer", name, offer.model_dump(mode="json"))
        await audit.record(who, "published", f"offer {name}", {"revision": revision})
    for kind, revision in (await publish_house(words, checked.house)).items():
        await audit.record(who, "published", f"{kind} of the house", {"revision": revision})
    for definition in checked.journeys:
        await definitions.publish(definition, checked.scenarios.get(definition.version))
        detail = {"version": definition.version}
        await audit.record(who, "published", f"journey {definition.journey}", dict(detail))


def _end_with_problems(checked: "CheckedFiles", *, as_json: bool, published: bool) -> None:
    if not checked.problems:
        return
    if as_json:
        print_json(_told(checked))
    for problem in checked.problems:
        say(str(problem))
    count = len(checked.problems)
    say(
        f"{count} problem{'s' if count > 1 else ''}.{' Nothing was published.' if published else ''}"
    )
    raise typer.Exit(FAILED)


def _warn(checked: "CheckedFiles") -> None:
    for warning in checked.warnings:
        say(f"Warning: {warning}")


def _counted(checked: "CheckedFiles") -> str:
    def count(number: int, what: str) -> str:
        first, _, others = what.partition(" ")
        return f"{number} {first}{'' if number == 1 else 's'} {others}".rstrip()

    numbers = {
        "journey": len(checked.journeys),
        "block": len(checked.blocks),
        "message": len(checked.messages),
        "survey": len(checked.surveys),
        "offer": len(checked.offers),
        "file of descriptions": len(checked.landscapes),
        "file of the house": len([each for each in checked.house if each.kind != "personas"]),
    }
    return ", ".join(count(number, what) for what, number in numbers.items() if number) or "nothing"


def _told(checked: "CheckedFiles") -> dict[str, Any]:
    return {
        "journeys": [
            {"journey": each.journey, "version": each.version, "file": each.source_name}
            for each in checked.journeys
        ],
        "messages": [
            {"message": name, "revision": message.revision}
            for name, (message, _) in checked.messages.items()
        ],
        "blocks": sorted(checked.blocks),
        "voice": checked.voice.name if checked.voice else None,
        "surveys": sorted(checked.surveys),
        "offers": sorted(checked.offers),
        "house": sorted(each.kind for each in checked.house),
        "problems": checked.problems,
        "warnings": checked.warnings,
    }
