"""Make an installation's servers ready for Clew, as often as one likes.

`python -m deploy.prepare` brings the database at `CLEW_DATABASE_URL` to the current schema, and
gives the Temporal server at `TEMPORAL_ADDRESS` the namespace and our search attributes.

With `CLEW_OWNER_DATABASE_URL` the tables belong to the role that it names, and the role of
`CLEW_DATABASE_URL` is given what running processes need and nothing else (stores/rights.py). It is made
where it is not there, with `CLEW_DATABASE_PASSWORD`, or what the file of `CLEW_DATABASE_PASSWORD_FILE` says.
"""

import asyncio
import os
import sys

from temporalio.client import Client

from deploy.secret_setting import secret_setting
from stores.migrations import upgrade
from stores.rights import OURS, RightsError, give_rights, role_of, same_database
from workers.temporal_setup import register_namespace, register_search_attributes
from workers.temporal_tls import temporal_door


async def main() -> int:
    """Prepare both servers; a setting that is missing is named."""
    missing = [name for name in ("CLEW_DATABASE_URL", "TEMPORAL_ADDRESS") if not os.getenv(name)]
    if missing:
        print(f"Not set: {', '.join(missing)}", file=sys.stderr)
        return 2
    try:
        prepare_database(os.environ["CLEW_DATABASE_URL"], os.getenv("CLEW_OWNER_DATABASE_URL"))
    except RightsError as error:
        print(error, file=sys.stderr)
        return 1
    door = temporal_door()
    client = await Client.connect(
        os.environ["TEMPORAL_ADDRESS"],
        namespace=os.environ.get("TEMPORAL_NAMESPACE", "default"),
        tls=door.tls,
        api_key=door.api_key,
    )
    await register_namespace(client)
    await register_search_attributes(client)
    print(f"Temporal has the namespace {client.namespace} and our search attributes.")
    return 0


def prepare_database(url: str, owner_url: str | None) -> None:
    """The current schema, and, where the owner is another role, the rights of the one that `url` names.

    Raises: `RightsError` where the two URLs lead to two databases, or rights cannot be given.
    """
    if not owner_url:
        upgrade(url)
        print("The database has the current schema.")
        return
    if not same_database(owner_url, url):
        raise RightsError(
            "CLEW_OWNER_DATABASE_URL leads to another database than CLEW_DATABASE_URL: "
            "they differ in the role alone."
        )
    upgrade(owner_url)
    print("The database has the current schema.")
    role = role_of(url)
    give_rights(owner_url, role, secret_setting("CLEW_DATABASE_PASSWORD"), OURS)
    print(f"{role} may work on its rows, and on nothing else.")


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
