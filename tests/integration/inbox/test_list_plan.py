"""However many cases are open, a page of the list is read from an index and not from all of them."""

import pytest

from stores.inbox_list import Scope, Wanted
from tests.integration.inbox.staff_house import StaffHouse

MANY = """
insert into cases ("case", entry, n, workflow_id, journey, customer, queue, brief, decisions, state, opened_at,
                   opened_wall, resolve_by)
select 'case/many:9:' || n, 9, n, '', 'cart', 'c_' || n, 'q' || n %% 20, 'Brief', '{}', 'open', now(),
       now() - n * interval '1 second', now() + n %% 977 * interval '1 minute'
  from generate_series(1, 20000) n returning n
"""


@pytest.mark.parametrize(
    ("member", "scope", "index"),
    [
        ("eva", "queues", "cases_due_of_queue"),
        ("eva", "mine", "cases_of_holder"),
        ("eva", "all", "cases_due_of_queue"),
        ("lena", "approvals", "cases_for_approval"),
        ("root", "all", "cases_due"),
    ],
)
async def test_a_list_of_many_is_read_by_its_index(
    house: StaffHouse, member: str, scope: Scope, index: str
) -> None:
    await house.hire("eva", "Eva", "agent", ["q1", "q2", "q3"])
    await house.rows(MANY)
    async with house.pool.connection() as connection:
        await connection.execute("analyze cases")
    who = await house.members.member(member)
    assert who is not None

    plan = await house.lists.explain(who, Wanted(scope=scope))

    assert index in plan
    assert "Seq Scan on cases" not in plan
