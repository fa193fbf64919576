"""`clew case-hooks`: programs outside that are told, signed, what happens to cases."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

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

if TYPE_CHECKING:
    from stores.case_hooks import CaseHook

_Name = Annotated[str, typer.Argument(metavar="HOOK", help="Its name: zendesk, wallboard.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Programs outside that are told of cases.", no_args_is_help=True)
    group.command("add")(add)
    group.command("list")(several)
    group.command("remove")(remove)
    group.command("test")(send_trial)
    app.add_typer(group, name="case-hooks")


def add(
    hook: _Name,
    url: Annotated[str, typer.Argument(help="Where it is: https://….")],
    kind: Annotated[
        list[str] | None,
        typer.Option("--kind", help="What it wants to be told; all, where unsaid."),
    ] = None,
    state: State = STATE,
    as_json: AsJson = False,
) -> None:
    """Tell a program what happens to cases from now on. Its secret is shown once."""
    from journey.case_news import KINDS

    if not re.fullmatch(r"[a-z][a-z0-9-]{0,63}", hook):
        wrong_use(f"{hook}: a name in lower case with dashes, such as wallboard.")
    if not url.startswith(("https://", "http://")):
        wrong_use(f"{url}: it begins with https://.")
    for each in kind or []:
        if each not in KINDS:
            wrong_use(f"--kind {each}: it is one of {', '.join(KINDS)}.")
    secret = run(_add(state, hook, url, kind or []))
    if as_json:
        print_json({"hook": hook, "url": url, "secret": secret})
        return
    print(secret)
    say("The receiver checks signatures with it (Standard Webhooks). It is not shown again.")


def several(state: State = STATE, as_json: AsJson = False) -> None:
    """List the hooks: how far each is, and what is wrong with it."""
    found = run(_hooks(state))
    if as_json:
        print_json(found)
        return
    columns = ("hook", "url", "kinds", "told to", "at (UTC)", "failures", "why", "off since")
    print_table(
        columns,
        [
            (h.hook, h.url, h.kinds or "all", h.told_to, h.told_at, h.failures, h.failed_why, h.off_at)
            for h in found
        ],
    )  # fmt: skip


def remove(hook: _Name, state: State = STATE) -> None:
    """Tell it nothing any more."""
    run(_remove(state, hook))
    say(f"Removed: {hook}.")


def send_trial(hook: _Name, state: State = STATE) -> None:
    """Send a signed `case.test`. A hook that was switched off and takes it is told again what it missed."""
    why = run(_test(state, hook))
    if why is not None:
        raise CommandError(f"{hook} did not take it: {why}")
    say(f"{hook} took it.")


async def _add(state: Path, hook: str, url: str, kinds: list[str]) -> str:
    from cli.history_keys import masters
    from cli.installation import database
    from stores.case_hooks import CaseHookStore, HookExistsError

    async with database(state) as pool:
        try:
            return await CaseHookStore(pool, masters(state)).add(hook, url, kinds, by=who())
        except HookExistsError as error:
            raise CommandError(str(error)) from None


async def _hooks(state: Path) -> "list[CaseHook]":
    from cli.installation import database
    from stores.case_hooks import CaseHookStore

    async with database(state) as pool:
        return await CaseHookStore(pool).hooks()


async def _remove(state: Path, hook: str) -> None:
    from cli.installation import database
    from stores.case_hooks import CaseHookStore, UnknownHookError

    async with database(state) as pool:
        try:
            await CaseHookStore(pool).remove(hook, by=who())
        except UnknownHookError as error:
            raise CommandError(str(error)) from None


async def _test(state: Path, hook: str) -> str | None:
    from datetime import UTC, datetime
    from uuid import uuid4

    from activities.message_channel import (
        AddressGoneError,
        ProviderBusyError,
        ProviderRefusedError,
        UnknownOutcomeError,
    )
    from channels.case_hook import CaseHookPost
    from cli.history_keys import masters
    from cli.installation import database
    from routing.case_hooks import trial
    from stores.case_hooks import CaseHookStore, UnknownHookError

    async with database(state) as pool:
        store = CaseHookStore(pool, masters(state))
        post = CaseHookPost(lambda: datetime.now(UTC), allowed=_allowed())
        try:
            kept, secret = await store.with_secret(hook)
            await post.tell(kept.url, secret, f"case-hook/{uuid4()}", trial(datetime.now(UTC)))
            why = None
        except UnknownHookError as error:
            raise CommandError(str(error)) from None
        except (
            AddressGoneError, ProviderBusyError, ProviderRefusedError, UnknownOutcomeError,
        ) as error:  # fmt: skip
            why = str(error)
        finally:
            await post.close()
        await store.tried(hook, by=who(), why=why)
    return why


def _allowed() -> list[str]:
    """Hosts at private addresses that calls may reach: what delivery workers were told holds here, too."""
    import json
    import os

    return json.loads(os.environ.get("CLEW_CALLS_ALLOWED") or "[]")
