"""`clew runs`, `show`, `resume`, `leave`, `nudge`: customers under way."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

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
    written,
    wrong_use,
)
from cli.stops import SCOPES, resume_stopped

if TYPE_CHECKING:
    from stores.database import Pool
    from stores.runs import Run, RunStory

_STATES = ("open", "finished", "not_admitted")
_RunName = Annotated[
    str, typer.Argument(metavar="RUN", help="Its entry number, or its workflow id.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("runs")(runs)
    app.command("show")(show)
    app.command("resume")(resume)
    app.command("leave")(leave)
    app.command("nudge")(nudge)


def runs(
    journey: Annotated[str | None, typer.Option(help="Only runs of this journey.")] = None,
    stage: Annotated[str | None, typer.Option(help="Only runs in this stage.")] = None,
    run_state: Annotated[
        str | None, typer.Option("--run-state", help="open, finished or not_admitted.")
    ] = None,
    customer: Annotated[str | None, typer.Option(help="Only this customer's, by any name.")] = None,
    stuck: Annotated[bool, typer.Option("--stuck", help="Only those that need attention.")] = False,
    most: Annotated[int, typer.Option(help="How many at most.", min=1)] = 50,
    state: State = STATE,
    as_json: AsJson = False,
) -> None:
    """List runs, the newest first: where each stands and what it waits for."""
    if run_state is not None and run_state not in _STATES:
        wrong_use(f"--run-state {run_state}: it is one of {', '.join(_STATES)}.")
    chosen: dict[str, Any] = {
        "journey": journey,
        "stage": stage,
        "state": run_state,
        "needing_attention": stuck,
        "most": most,
    }
    found = run(_runs(state, customer, chosen))
    if as_json:
        print_json(found)
        return
    print_table(
        ("run", "journey", "customer", "key", "stands", "waits for", "wakes at (run time)"),
        [
            (r.entry, r.journey, r.customer, r.key, _stands(r), r.waits_for, r.wakes_at)
            for r in found
        ],
    )


def show(name: _RunName, state: State = STATE, as_json: AsJson = False) -> None:
    """Show one run: where it stands, what it waits for, and why it came to that."""
    story, live = run(_show(state, name))
    if as_json:
        print_json({"record": story, "live": live})
        return
    _tell(story, live)


def resume(
    name: Annotated[
        str,
        typer.Argument(
            metavar="RUN",
            help="Its entry number, or its workflow id; or what clew stop stopped: everything, journey, channel.",
        ),
    ],
    stopped: Annotated[str, typer.Argument(metavar="NAME", help="Which journey or channel.")] = "",
    state: State = STATE,
    as_json: AsJson = False,
) -> None:
    """Let a run that stopped try again, once what stopped it is mended; or lift a stop."""
    if name in SCOPES:
        resume_stopped(state, name, stopped)
        return
    found = run(_resume(state, name))
    if as_json:
        print_json({"resumed": found.workflow_id})
    else:
        say(f"Told {found.workflow_id} to try again.")


def leave(
    name: _RunName,
    reason: Annotated[str, typer.Option(help="Why; it is kept with the run.")],
    state: State = STATE,
    as_json: AsJson = False,
) -> None:
    """End a run at once: what it left open is undone, nothing further is sent."""
    status = run(_leave(state, name, reason))
    if as_json:
        print_json(status)
    else:
        say(f"It has left: {reason}.")


def nudge(
    name: _RunName,
    address: Annotated[str, typer.Option("--at", help="The step at which it waits: offer/2.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept with the run.")],
    state: State = STATE,
    as_json: AsJson = False,
) -> None:
    """Let a run go on at once, as if the time that it waits for at a step were over."""
    status = run(_nudge(state, name, address, reason))
    if as_json:
        print_json(status)
    else:
        say(f"It goes on: {reason}.")


# -- the work


async def _runs(state: Path, customer: str | None, chosen: dict[str, Any]) -> "list[Run]":
    from cli.installation import database
    from stores.customers import CustomerStore
    from stores.runs import RunStore

    async with database(state) as pool:
        if customer is not None:
            known = await CustomerStore(pool).find(customer)
            if known is None:
                return []
            chosen["customer"] = known.customer
        return await RunStore(pool).runs(**chosen)


async def _show(state: Path, name: str) -> "tuple[RunStory, dict[str, Any] | None]":
    from cli.installation import database

    async with database(state) as pool:
        story = await _found(pool, name)
    live = await _live(state, story.run.workflow_id) if story.run.state == "open" else None
    return story, live


async def _found(pool: "Pool", name: str) -> "RunStory":
    from stores.runs import RunStore

    story = await RunStore(pool).run(int(name) if name.isdigit() else name)
    if story is None:
        raise CommandError(f"There is no run {name}. `clew runs` lists them.")
    return story


async def _live(state: Path, workflow_id: str) -> dict[str, Any] | None:
    """What the run itself says; None where Temporal, or its worker, does not answer."""
    from datetime import timedelta

    from temporalio.service import RPCError

    from cli.installation import temporal
    from contracts.names import QUERY_STATUS

    try:
        client = await temporal(state)
        handle = client.get_workflow_handle(workflow_id)
        return await handle.query(QUERY_STATUS, rpc_timeout=timedelta(seconds=5))
    except (CommandError, RPCError):
        return None


async def _resume(state: Path, name: str) -> "Run":
    from temporalio.service import RPCError

    from cli.installation import database, temporal
    from contracts.names import SIGNAL_RESUME

    async with database(state) as pool:
        found = (await _found(pool, name)).run
        client = await temporal(state)
        # Before it is done: what cannot be written down is not done.
        await write_down(pool, "told to try again", f"run {found.workflow_id}")
    handle = client.get_workflow_handle(found.workflow_id)
    try:
        await handle.signal(SIGNAL_RESUME)
    except RPCError as error:
        raise CommandError(f"{found.workflow_id} cannot be told: {error.message}") from None
    return found


async def _leave(state: Path, name: str, reason: str) -> dict[str, Any]:
    from contracts.names import UPDATE_LEAVE

    told = {"reason": reason}
    return await _told(state, name, UPDATE_LEAVE, told, ("told to leave", {"why": reason}))


async def _nudge(state: Path, name: str, address: str, reason: str) -> dict[str, Any]:
    from contracts.names import UPDATE_NUDGE

    told = {"address": address, "reason": reason[:200]}
    did = "nudged", {"why": reason, "step": address}
    status = await _told(state, name, UPDATE_NUDGE, told, did)
    if told["reason"] not in status.get("decided", ()):
        refused = status.get("refused") or ["it has ended"]
        raise CommandError(f"{name} was not nudged: {refused[-1]}.")
    return status


async def _told(
    state: Path, name: str, update: str, told: dict[str, str], did: tuple[str, dict[str, Any]]
) -> dict[str, Any]:
    """What the run answers to an order. Before it is given: what cannot be written down is not done."""
    from datetime import timedelta

    from temporalio.client import (
        WorkflowUpdateFailedError,
        WorkflowUpdateRPCTimeoutOrCancelledError,
    )
    from temporalio.service import RPCError

    from cli.installation import database, temporal

    async with database(state) as pool:
        found = (await _found(pool, name)).run
        client = await temporal(state)
        await write_down(pool, did[0], f"run {found.workflow_id}", did[1])
    handle = client.get_workflow_handle(found.workflow_id)
    try:
        return await handle.execute_update(update, told, rpc_timeout=timedelta(seconds=20))
    except WorkflowUpdateRPCTimeoutOrCancelledError:
        raise CommandError("No worker answers now. `clew doctor` tells more.") from None
    except WorkflowUpdateFailedError as error:
        raise CommandError(f"{found.workflow_id} refused: {error.cause or error}") from None
    except RPCError as error:
        raise CommandError(f"{found.workflow_id} cannot be told: {error.message}") from None


# -- in words


def _stands(found: "Run") -> str:
    if found.needs_attention and found.state == "open":
        return f"stopped: {found.needs_attention}"
    if found.state == "open":
        return found.stage or "entering"
    if found.state == "not_admitted":
        return f"not admitted: {found.reason}"
    why = f", {found.reason}" if found.reason else ""
    return f"{found.outcome}{' (goal)' if found.goal else ''}{why}"


def _tell(story: "RunStory", live: dict[str, Any] | None) -> None:
    found = story.run
    facts: list[tuple[str, object]] = [
        ("run", found.entry),
        ("workflow", found.workflow_id),
        ("journey", f"{found.journey} {(found.version or '')[:12]}"),
        ("customer", found.customer),
        ("key", found.key),
        ("stands", _stands(found)),
        ("why", found.detail),
        ("waits for", (live or {}).get("waits_for") or found.waits_for),
        ("wakes at", (live or {}).get("wakes_at") or found.wakes_at),
        ("listens to", [f"{kind} {', '.join(ids)}" for kind, ids in story.listens.items()]),
        ("refused", (live or {}).get("refused")),
    ]
    print_table(("", ""), [fact for fact in facts if fact[1]])
    if story.promises:
        say("\nPromises")
        print_table(
            ("promise", "by", "state", "why"),
            [(p.name, p.by, p.state, p.reason) for p in story.promises],
        )
    if story.trace:
        say("\nHow it came to that (run time)")
        print_table(("when", "what", "why"), [(written(t.at), t.kind, t.why) for t in story.trace])
    if found.state == "open" and live is None:
        say("\nTemporal or its workers do not answer now: this is what was written down last.")
