"""Messages by name: one revision is live, and publishing twice is publishing once."""

import asyncio

from stores.messages import MessageStore
from tests.integration.delivery.conftest import MESSAGE, Desk


async def test_the_last_published_is_live_and_an_earlier_one_can_come_back(desk: Desk) -> None:
    store = MessageStore(desk.pool)
    first = await store.live("gate")
    assert first is not None
    assert first.source == MESSAGE

    mended = await store.publish("gate", MESSAGE + "Bye.\n")
    live = await store.live("gate")
    assert live is not None
    assert (live.revision, live.source) == (mended, MESSAGE + "Bye.\n")

    assert await store.publish("gate", MESSAGE) == first.revision
    assert await store.live("gate") == first


async def test_publishing_at_once_leaves_one_live(desk: Desk) -> None:
    store = MessageStore(desk.pool)

    await asyncio.gather(*(store.publish("gate", MESSAGE + f"{n}\n") for n in range(10)))
    await asyncio.gather(*(store.publish("gate", MESSAGE) for _ in range(10)))

    live = await desk.rows("select source from messages where name = 'gate' and live")
    assert live == [{"source": MESSAGE}]
    assert await store.names() == ["gate"]


async def test_a_message_nobody_published_is_none(desk: Desk) -> None:
    assert await MessageStore(desk.pool).live("nothing") is None
