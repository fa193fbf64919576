"""Touchpoints reach a peer's own process by a door that answers when they are durable."""

import asyncio

import pytest

from benchmarks.side_by_side.peers.door import DoorClient, open_door


async def test_answers_find_whoever_asked_in_whatever_order_they_come(tmp_path) -> None:
    first_may_go = asyncio.Event()

    async def do(asked: dict) -> str:
        if asked["customer"] == "anna":
            await first_may_go.wait()
        return f"taken of {asked['customer']}"

    client = DoorClient(tmp_path / "door")
    async with await open_door(tmp_path / "door", do):
        anna = asyncio.ensure_future(client.ask(customer="anna"))
        assert await client.ask(customer="bert") == "taken of bert"
        first_may_go.set()
        assert await anna == "taken of anna"
        await client.close()


async def test_whoever_asks_a_process_that_fails_or_has_gone_is_told(tmp_path) -> None:
    async def do(asked: dict) -> None:
        raise ValueError("no such journey")

    client = DoorClient(tmp_path / "door")
    with pytest.raises(ConnectionError):
        await client.ask(customer="anna")
    async with await open_door(tmp_path / "door", do):
        with pytest.raises(ConnectionError, match="no such journey"):
            await client.ask(customer="anna")
        await client.close()
