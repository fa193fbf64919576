"""Many names at once: whose they are, and new customers for those that nobody has.

`CustomerStore.resolve` decides one customer at a time, with all its rules. This is for a batch,
and only for what needs no decision.
"""

from collections import Counter
from collections.abc import Sequence

from journey.identity_rules import Identity, IdentityRules
from stores.customers import normalised
from stores.database import Connection, jsonb
from stores.identity_graph import opaque_id, owners


async def known_customers(
    connection: Connection, wanted: Sequence[Sequence[Identity]], rules: IdentityRules
) -> list[str | None]:
    """For each set of names the customer that all of them lead to.

    None where one is unknown, or they lead to several: that is for `CustomerStore.resolve` to decide.
    """
    sets = _normalised(wanted, rules)
    known = await owners(connection, set[Identity]().union(*sets))
    found = [{known.get(name) for name in names} for names in sets]
    return [next(iter(one)) if len(one) == 1 else None for one in found]


async def make_customers(
    connection: Connection, wanted: Sequence[Sequence[Identity]], rules: IdentityRules
) -> None:
    """Make a customer for each set of names of which nobody has any, and that no other set names.

    Sets that need a decision are left alone. Whoever resolves one of the names at the same time
    waits for this transaction.
    """
    sets = _normalised(wanted, rules)
    named = Counter(name for names in sets for name in names)
    plain = [
        names
        for names in sets
        if names and all(named[name] == 1 for name in names) and _fit(names, rules)
    ]
    each = sorted(name for names in plain for name in names)
    if not each:
        return
    # The same locks, taken in the same order, as `CustomerStore.resolve`.
    await connection.execute(
        """
        select pg_advisory_xact_lock(hashtextextended(name, 0))
          from (select name from unnest(%s::text[]) with ordinality as n(name, place)
                 order by place) o
        """,
        [[f"identity {kind} {value}" for kind, value in each]],
    )
    known = await owners(connection, set(each))
    rows = [
        {"customer": customer, "kind": kind, "value": value}
        for names in plain
        if not any(name in known for name in names)
        for customer in [opaque_id()]
        for kind, value in names
    ]
    await connection.execute(
        """
        with new as (
            select * from jsonb_to_recordset(%s) as r(customer text, kind text, value text)
        ), made as (
            insert into customers (customer) select distinct customer from new
        )
        insert into identities (kind, value, customer) select kind, value, customer from new
        """,
        [jsonb(rows)],
    )


def _normalised(wanted: Sequence[Sequence[Identity]], rules: IdentityRules) -> list[set[Identity]]:
    sets = [{normalised(kind, value) for kind, value in names} for names in wanted]
    return [{one for one in names if one[1] and not rules.is_blocked(*one)} for names in sets]


def _fit(names: set[Identity], rules: IdentityRules) -> bool:
    kinds = Counter(kind for kind, _ in names)
    return all(count <= rules.limit(kind) for kind, count in kinds.items())
