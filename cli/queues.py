"""`clew queues`: the queues of staff as they are live, and how they stand now."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from cli.output import STATE, AsJson, State, print_json, print_table, run

if TYPE_CHECKING:
    from stores.queue_standings import QueueStanding


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Queues of staff: queues.yaml as it is live.", no_args_is_help=True)
    group.command("list")(several)
    group.command("now")(now)
    app.add_typer(group, name="queues")


def several(state: State = STATE, as_json: AsJson = False) -> None:
    """List the queues: how work finds its people, and their deadlines."""
    found = [each.queue for each in run(_standings(state)) if each.written]
    if as_json:
        print_json([each.model_dump(mode="json", by_alias=True) for each in found])
        return
    columns = (
        "queue",
        "title",
        "zone",
        "assign",
        "first answer",
        "next",
        "decided",
        "escalates to",
    )
    print_table(
        columns,
        [
            (q.queue, q.title, q.zone, q.assign, q.first_answer, q.next_answer, q.resolve, q.escalate_to)
            for q in found
        ],
    )  # fmt: skip


def now(state: State = STATE, as_json: AsJson = False) -> None:
    """Say what waits in each queue, what is late, and who is there now."""
    found = run(_standings(state))
    if as_json:
        print_json(
            [
                {
                    "queue": each.queue.queue, "written": each.written, "waiting": each.waiting,
                    "taken": each.taken, "overdue": each.overdue,
                    "waits_longest_since": each.waits_longest_since,
                    "members": list(each.members), "there": list(each.there),
                }
                for each in found
            ]
        )  # fmt: skip
        return
    columns = ("queue", "waiting", "taken", "late", "waits longest since", "there", "of")
    print_table(
        columns,
        [
            (s.queue.queue, s.waiting, s.taken, s.overdue, s.waits_longest_since, s.there, len(s.members))
            for s in found
        ],
    )  # fmt: skip


async def _standings(state: Path) -> "list[QueueStanding]":
    from datetime import UTC, datetime

    from cli.installation import database
    from stores.queue_standings import QueueStandingStore

    async with database(state) as pool:
        return await QueueStandingStore(pool).standings(datetime.now(UTC))
