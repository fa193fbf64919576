"""Many names looked up at once: whose they are, where that is known without a doubt."""

from collections.abc import Sequence

from stores.customers import Identity, normalised
from stores.database import Connection, jsonb


async def known_customers(
    connection: Connection, wanted: Sequence[Sequence[Identity]]
) -> list[str | None]:
    """For each set of names the customer that all of them lead to; None where one is unknown,
    or they lead to several: that is for `CustomerStore.resolve` to decide.
    """  # noqa: D205
    sets = [{normalised(kind, value) for kind, value in names} for names in wanted]
    each = set[Identity]().union(*sets)
    if not each:
        return [None] * len(sets)
    cursor = await connection.execute(
        """
        select i.kind, i.value, i.customer from identities i
          join jsonb_to_recordset(%s) as w(kind text, value text) using (kind, value)
        """,
        [jsonb([{"kind": kind, "value": value} for kind, value in each])],
    )
    known = {(row["kind"], row["value"]): row["customer"] for row in await cursor.fetchall()}
    found = [{known.get(name) for name in names} for names in sets]
    return [next(iter(one)) if len(one) == 1 else None for one in found]


async def lock_customers(connection: Connection, customers: Sequence[str]) -> None:
    """Lock customers in one order everywhere, before their traits are changed."""
    await connection.execute(
        "select 1 from customers where customer = any(%s) order by customer for no key update",
        [sorted(set(customers))],
    )
