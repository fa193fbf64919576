"""The inbox as it changes: everybody hears of what concerns them, by one look at the database for all."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from console.inbox_live import LiveInbox
from stores.case_events import CaseEventStore
from stores.case_writers import CaseWriterStore
from stores.members import Member
from tests.integration.inbox.staff_house import StaffHouse


class Counted:
    """The events of the house; how often it was asked for the newest."""

    def __init__(self, house: StaffHouse) -> None:
        self.events, self.asked = CaseEventStore(house.pool), 0

    async def newest(self) -> int:
        self.asked += 1
        return await self.events.newest()


@asynccontextmanager
async def heard(live: LiveInbox, member: Member | None, case: str | None = None) -> AsyncGenerator[Any]:  # fmt: skip
    """What somebody hears, event by event."""
    assert member is not None
    stream: Any = live.stream(member, case)
    parts = stream.body_iterator

    async def next_of(event: str) -> str:
        async with asyncio.timeout(60):
            async for part in parts:
                if f"event: {event}" in part.decode():
                    return part.decode()
        raise AssertionError(event)

    await next_of("here")
    yield next_of
    await parts.aclose()


async def test_who_is_concerned_hears_of_a_change_and_who_writes(house: StaffHouse) -> None:
    counted, writers = Counted(house), CaseWriterStore(house.pool, house.clock)
    live = LiveInbox(events=counted, changes=house.lists, writers=writers, every_seconds=0.05)
    case = (await house.desk.named(await house.opened())).case  # pyright: ignore[reportOptionalMemberAccess] -- it was opened
    eva, rita = await house.members.member("eva"), await house.members.member("rita")

    async with (
        heard(live, eva) as lists,
        heard(live, eva, case) as page,
        heard(live, rita) as other,
    ):
        while counted.asked < 2:
            await asyncio.sleep(0)
        await house.opened(queue="sales")
        changed = await lists("changed")
        await writers.writes(case, "ben")
        writing = await page("writing")
        await house.opened(queue="refunds")
        theirs = await other("changed")

    assert "data: {}" in changed  # nothing personal goes this way
    assert '["Ben Horak"]' in writing
    assert "data: {}" in theirs


async def test_a_process_that_ends_lets_its_listeners_go(house: StaffHouse) -> None:
    writers = CaseWriterStore(house.pool, house.clock)
    live = LiveInbox(events=Counted(house), changes=house.lists, writers=writers, every_seconds=0.05)  # fmt: skip
    eva = await house.members.member("eva")
    assert eva is not None
    stream: Any = live.stream(eva, None)

    live.stopping.set()
    async with asyncio.timeout(60):
        left = [part async for part in stream.body_iterator]

    assert len(left) == 1
    assert live.stream(eva, None).status_code == 503
