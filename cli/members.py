"""`clew members`: who works here, what they can, when they are away."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from cli import member_password, member_proofs
from cli.deeds import who
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
from journey.staff_roles import MEMBER_ROLES

if TYPE_CHECKING:
    from stores.members import Absence, Member, MemberStore

_Name = Annotated[str, typer.Argument(metavar="MEMBER", help="The name under which they act.")]
_Role = Annotated[str | None, typer.Option(help=f"One of {', '.join(MEMBER_ROLES)}.")]
_Called = Annotated[str | None, typer.Option("--name", help="What they are called.")]
_Queues = Annotated[list[str] | None, typer.Option("--queue", help="Where they work.")]
_Skills = Annotated[list[str] | None, typer.Option("--skill", help="What they can.")]
_Languages = Annotated[list[str] | None, typer.Option("--language", help="What they speak.")]
_Capacity = Annotated[int | None, typer.Option(help="How many cases they have at once.")]
_Grants = Annotated[float | None, typer.Option(help="Up to which amount they decide.")]
_Zone = Annotated[str | None, typer.Option(help="Whose clock their hours are on.")]
_Email = Annotated[str | None, typer.Option(help="Their address.")]
_Slack = Annotated[str | None, typer.Option(help="Who they are in Slack.")]
_Subject = Annotated[str | None, typer.Option(help="Who they are at the OpenID provider.")]

Result = TypeVar("Result")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Members of staff.", no_args_is_help=True)
    for name, command in {
        "list": several, "add": add, "set": change, "leave": leave, "absent": absent, "back": back,
    }.items():  # fmt: skip
        group.command(name)(command)
    member_password.add_to(group)
    member_proofs.add_to(group)
    app.add_typer(group, name="members")


def several(
    queue: Annotated[str | None, typer.Option(help="Only those of this queue.")] = None,
    state: State = STATE,
    as_json: AsJson = False,
) -> None:
    """List who works here, and when they are away."""

    async def found(store: "MemberStore") -> "tuple[list[Member], list[Absence]]":
        return await store.members(queue), await store.absences()

    members, absences = run(_with(state, found))
    if as_json:
        print_json({"members": [_plain(each) for each in members], "absences": absences})
        return
    away = {
        each.member: [f"{a.absence}: {a.since:%Y-%m-%d %H:%M} to {a.until:%Y-%m-%d %H:%M} {a.why}"
                      for a in absences if a.member == each.member]
        for each in members
    }  # fmt: skip
    print_table(
        ("member", "name", "role", "queues", "skills", "capacity", "grants", "away"),
        [
            (m.member, m.name, m.role, m.queues, m.skills, m.capacity, m.grants, away[m.member])
            for m in members
        ],
    )


def add(
    member: _Name,
    role: _Role = "agent",
    name: _Called = None,
    queues: _Queues = None,
    skills: _Skills = None,
    languages: _Languages = None,
    capacity: _Capacity = None,
    grants: _Grants = None,
    zone: _Zone = None,
    email: _Email = None,
    slack: _Slack = None,
    subject: _Subject = None,
    state: State = STATE,
) -> None:
    """Add a member of staff."""
    said = {
        "role": role, "name": name or member, "queues": queues, "skills": skills,
        "languages": languages, "capacity": capacity, "grants": grants, "zone": zone,
        "email": email, "slack": slack, "subject": subject,
    }  # fmt: skip
    _put(state, member, said, new=True)
    say(f"{member} works here.")


def change(
    member: _Name,
    role: _Role = None,
    name: _Called = None,
    queues: _Queues = None,
    skills: _Skills = None,
    languages: _Languages = None,
    capacity: _Capacity = None,
    grants: _Grants = None,
    zone: _Zone = None,
    email: _Email = None,
    slack: _Slack = None,
    subject: _Subject = None,
    state: State = STATE,
) -> None:
    """Change what is said of a member; what is not named stays."""
    said = {
        "role": role, "name": name, "queues": queues, "skills": skills,
        "languages": languages, "capacity": capacity, "grants": grants, "zone": zone,
        "email": email, "slack": slack, "subject": subject,
    }  # fmt: skip
    _put(state, member, said, new=False)
    say(f"Changed: {member}.")


def leave(member: _Name, state: State = STATE) -> None:
    """They work here no more; their cases go to somebody else."""
    run(_with(state, lambda store: store.leave(member, by=who())))
    say(f"{member} works here no more.")


def absent(
    member: _Name,
    since: Annotated[datetime, typer.Option("--from", help="From when (UTC).")],
    until: Annotated[datetime, typer.Option(help="Until when (UTC).")],
    why: Annotated[str, typer.Option("--why", help="Why: ill, holiday.")] = "",
    state: State = STATE,
) -> None:
    """They are away; their cases go to somebody else meanwhile."""
    begins, ends = since.replace(tzinfo=UTC), until.replace(tzinfo=UTC)
    if ends <= begins:
        wrong_use("--until: it is not after --from.")
    number = run(_with(state, lambda store: store.absent(member, begins, ends, why, by=who())))
    say(f"Absence {number}. They are back sooner: clew members back {number}")


def back(
    absence: Annotated[int, typer.Argument(help="Its number: clew members list.")],
    state: State = STATE,
) -> None:
    """An absence is none after all, or over sooner."""
    if not run(_with(state, lambda store: store.back(absence, by=who()))):
        raise CommandError(f"There is no absence {absence}. `clew members list` shows them.")
    say("They are back.")


def _put(state: Path, member: str, said: dict[str, Any], *, new: bool) -> None:
    told = {name: value for name, value in said.items() if value is not None}

    async def put(store: "MemberStore") -> None:
        from journey.member import MemberFile
        from stores.members import member_written

        known = await store.member(member)
        there = known is not None and known.left_at is None
        if new and there:
            raise CommandError(f"{member} works here already: clew members set {member} …")
        if not new and not there:
            raise CommandError(f"There is no member {member}. `clew members list` shows them.")
        held = _plain(known) if known is not None and not new else {}
        kept = {name: held[name] for name in MemberFile.model_fields if held.get(name) is not None}
        read = MemberFile.model_validate({**kept, **told, "member": member})
        await store.put(member_written(read), by=who())

    run(_with(state, put))


async def _with(state: Path, act: "Callable[[MemberStore], Awaitable[Result]]") -> Result:
    from pydantic import ValidationError

    from cli.installation import database
    from stores.members import MemberStore, TakenError, UnknownMemberError

    async with database(state) as pool:
        try:
            return await act(MemberStore(pool))
        except (TakenError, UnknownMemberError) as error:
            raise CommandError(str(error)) from None
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(each) for each in first["loc"])
            wrong_use(f"{place}: {first['msg']}")


def _plain(member: "Member") -> dict[str, Any]:
    from dataclasses import asdict

    lists = {name: list(getattr(member, name)) for name in ("queues", "skills", "languages")}
    shift = member.shift.model_dump(mode="json") if member.shift else None
    return {**asdict(member), **lists, "shift": shift}
