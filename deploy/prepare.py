"""Make an installation's servers ready for Clew, as often as one likes.

`python -m deploy.prepare` brings the database at `CLEW_DATABASE_URL` to the current schema, and
gives the Temporal server at `TEMPORAL_ADDRESS` the namespace and our search attributes.
"""

import asyncio
import os
import sys

from temporalio.client import Client

from stores.migrations import upgrade
from workers.temporal_setup import register_namespace, register_search_attributes
from workers.temporal_tls import temporal_door


async def main() -> int:
    """Prepare both servers; a setting that is missing is named."""
    missing = [name for name in ("CLEW_DATABASE_URL", "TEMPORAL_ADDRESS") if not os.getenv(name)]
    if missing:
        print(f"Not set: {', '.join(missing)}", file=sys.stderr)
        return 2
    upgrade(os.environ["CLEW_DATABASE_URL"])
    print("The database has the current schema.")
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


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
