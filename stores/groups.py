"""Groups that customers belong to, such as the company they work for: `group` of the Segment spec.

Conditions and templates see `customer.groups`, the ids in order, and `customer.group`: the group
that was told last, with its traits and its `id`, as they stood then.
"""

from collections.abc import Mapping

from pydantic import JsonValue

from stores.database import Connection, jsonb

GROUPS, GROUP = "groups", "group"

_JOIN = """
with said as (
    insert into groups as g (group_id, traits) values (%(group)s, %(traits)s)
    on conflict (group_id) do update
       set traits = g.traits || excluded.traits, changed_at = now()
    returning group_id, traits
), joined as (
    insert into group_members (customer, group_id)
    select canonical(%(customer)s), group_id from said where not is_erased(%(customer)s)
    on conflict do nothing
)
select traits, array(select group_id from group_members
                      where customer = canonical(%(customer)s) union select %(group)s
                      order by 1) as groups
  from said
"""


async def join_group(
    connection: Connection, customer: str, group: str, traits: Mapping[str, JsonValue]
) -> dict[str, JsonValue]:
    """The customer belongs to a group, whose traits are laid over those held. The customer's traits that say so."""
    values = {"customer": customer, "group": group, "traits": jsonb(dict(traits))}
    row = await (await connection.execute(_JOIN, values)).fetchone() or {}
    held = {name: value for name, value in row["traits"].items() if value is not None}
    return {GROUPS: row["groups"], GROUP: {**held, "id": group}}
