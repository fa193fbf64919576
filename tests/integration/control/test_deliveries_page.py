"""Whoever runs journeys sees what was told, what came of it, and who is behind each number."""

import re
from datetime import timedelta

from tests.integration.control.conftest import Control
from tests.integration.control.control_house import THEN
from tests.integration.inbox.staff_house import HOSTILE, said

ROW = """
insert into deliveries (key, entry, n, journey, customer, message, purpose, channel, state, reason, run_time, asked_at)
values (%(key)s, 1, %(n)s, 'tea', 'anna', %(message)s, 'service', %(channel)s, %(state)s, %(reason)s, %(at)s, %(at)s)
"""


async def told(
    control: Control,
    n: int,
    channel: str | None,
    state: str,
    reason: str = "",
    message: str = "late",
) -> None:
    async with control.house.pool.connection() as connection:
        await connection.execute(
            ROW,
            {"key": f"k{n}", "n": n, "message": message, "channel": channel, "state": state, "reason": reason,
             "at": THEN - timedelta(minutes=10)},
        )  # fmt: skip


async def test_each_red_number_leads_to_the_messages_behind_it(control: Control) -> None:
    await told(control, 9_001, "push", "refused", "not_taken")
    await told(control, 9_002, None, "refused", "held_out")
    await told(control, 9_003, "push", "unknown", message=HOSTILE)

    page = await control.lead.goes("/control/deliveries?span=day")

    assert page.status_code == 200
    assert "held out, to measure what telling does" in said(page)
    assert "<script>document" not in page.text
    failed = re.search(
        r'href="(/control/deliveries/list\?[^"]*what=failed[^"]*channel=push[^"]*)"', page.text
    )
    assert failed is not None
    listed = await control.lead.goes(failed[1].replace("&amp;", "&"))
    assert "refused: not_taken" in said(listed)
    assert 'href="/control/customer/anna"' in listed.text


async def test_agents_are_told_whose_page_it_is(control: Control) -> None:
    for path in (
        "/control/deliveries",
        "/control/deliveries/list",
        "/control/messages",
        "/control/message/x",
    ):
        assert (await control.agent.goes(path)).status_code == 403
