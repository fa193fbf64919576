"""`clew link`: the link to a customer's own page, for staff to hand on."""

from pathlib import Path
from typing import Annotated

import typer

from cli.deeds import write_down
from cli.output import (
    STATE,
    WRONG_USE,
    AsJson,
    CommandError,
    State,
    print_json,
    run,
    say,
    wrong_use,
)

PAGES = ("preferences", "data", "status", "person")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("link")(link)


def link(
    page: Annotated[str, typer.Argument(help="preferences, data, status or person.")],
    whose: Annotated[
        str,
        typer.Argument(
            metavar="CUSTOMER_OR_RUN",
            help="Any identity of the customer; of a status page, the run: its entry or workflow id.",
        ),
    ],
    state: State = STATE,
    as_json: AsJson = False,
) -> None:
    """Print the link to a customer's own page. Whoever has it is let in: give it to nobody else."""
    if page not in PAGES:
        wrong_use(f"{page}: it is one of {', '.join(PAGES)}.")
    url = run(_link(state, page, whose))
    if as_json:
        print_json({"page": page, "link": url})
        return
    print(url)
    say("Whoever has this link is let in: give it to the customer, and to nobody else.")


async def _link(state: Path, page: str, whose: str) -> str:
    from datetime import UTC, datetime
    from typing import cast

    from channels.customer_links import CustomerLinks, PageKind
    from cli.installation import database
    from stores.customers import CustomerStore
    from stores.runs import RunStore

    public_url, secret = signing(state)
    links = CustomerLinks(public_url, secret, lambda: datetime.now(UTC))
    async with database(state) as pool:
        if page == "status":
            story = await RunStore(pool).run(int(whose) if whose.isdecimal() else whose)
            if story is None:
                raise CommandError(f"There is no run {whose}. `clew runs` lists them.")
            told = f"customer {story.run.customer}"
            await write_down(pool, "made a link", told, {"page": page})
            return links.url("status", story.run.customer, story.run.entry)
        found = await CustomerStore(pool).find(whose)
        if found is None:
            raise CommandError(f"Nobody is known as {whose}.")
        await write_down(pool, "made a link", f"customer {found.customer}", {"page": page})
    return links.url(cast("PageKind", page), found.customer)


def signing(state: Path) -> tuple[str, bytes]:
    """What links of this installation are made of: as told, or of the one that runs here."""
    from cli.installation import find_installation, runs_here
    from workers.embedded.stack_files import StackFiles
    from workers.settings import SettingsError, read_settings
    from workers.signing_settings import SigningSettings

    if runs_here(state):
        return find_installation(state).need("api"), StackFiles(state).secret().encode()
    try:
        told = read_settings(SigningSettings)
    except SettingsError as error:
        raise CommandError(str(error), WRONG_USE) from None
    return told.public_url, told.secret.get_secret_value().encode()
