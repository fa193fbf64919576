"""Keys of customers: made once, found by every process, rotated, wrapped anew, and destroyed for ever."""

import asyncio
import base64
from datetime import UTC, datetime, timedelta

import pytest

from contracts.sealing import MasterKeys, UnknownMasterKeyError
from stores.database import Pool
from stores.history_keys import FORGOTTEN_AFTER, HistoryKeyStore, destroy_keys

SECRET = "s" * 32
LATER = f"2027:{base64.b64encode(b'k' * 32).decode()}"


class Seconds:
    """A clock that goes when it is told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def keys(pool: Pool, told: str | None = None, seconds: Seconds | None = None) -> HistoryKeyStore:
    return HistoryKeyStore(pool, MasterKeys.read(told, SECRET), seconds or Seconds())


async def test_many_processes_that_need_a_first_key_at_once_get_the_same(pool: Pool) -> None:
    made = await asyncio.gather(*(keys(pool).newest("c_anna") for _ in range(16)))

    assert len(set(made)) == 1
    assert made[0] is not None
    assert await keys(pool).find("c_anna", 1) == made[0][1]


async def test_a_destroyed_key_is_forgotten_soon_and_never_made_again(pool: Pool) -> None:
    seconds = Seconds()
    worker, command = keys(pool, seconds=seconds), keys(pool)
    await worker.newest("c_anna")
    async with pool.connection() as connection:
        assert await destroy_keys(connection, ["c_anna", "c_never_met"]) == 1

    seconds.now += FORGOTTEN_AFTER.total_seconds() + 1

    assert await worker.newest("c_anna") is None
    assert await worker.find("c_anna", 1) is None
    assert await command.newest("c_never_met") is None
    assert await command.rotate(datetime.now(UTC) + timedelta(days=1)) == 0


async def _waits(pool: Pool) -> None:
    """Until one connection of this database waits for another."""
    async with asyncio.timeout(5):
        while True:
            async with pool.connection() as connection:
                cursor = await connection.execute(
                    "select from pg_stat_activity"
                    " where datname = current_database() and wait_event_type = 'Lock'"
                )
                if await cursor.fetchone() is not None:
                    return
            await asyncio.sleep(0.02)


async def _destroyed(pool: Pool, owner: str) -> None:
    async with pool.connection() as connection:
        await destroy_keys(connection, [owner])


@pytest.mark.parametrize("n", [1, 2])
async def test_a_key_that_is_being_made_while_its_customer_is_erased_goes_with_the_others(
    pool: Pool, n: int
) -> None:
    if n == 2:
        await keys(pool).newest("c_anna")
    kept = MasterKeys.read(None, SECRET).wrap(b"k" * 32, "c_anna", n)
    async with pool.connection() as connection, connection.transaction():
        await connection.execute("select from history_keys where owner = 'c_anna' for update")
        await connection.execute(
            "insert into history_keys (owner, n, master, wrapped) values ('c_anna', %s, %s, %s)",
            [n, kept.master, kept.wrapped],
        )
        erasing = asyncio.create_task(_destroyed(pool, "c_anna"))
        await _waits(pool)
    await erasing

    assert await keys(pool).newest("c_anna") is None
    assert await keys(pool).find("c_anna", n) is None


async def test_a_rotation_waits_for_an_erasure_and_makes_no_key_for_whoever_is_gone(
    pool: Pool,
) -> None:
    await keys(pool).newest("c_anna")
    soon = datetime.now(UTC) + timedelta(days=1)
    async with pool.connection() as connection, connection.transaction():
        await destroy_keys(connection, ["c_anna"])
        rotating = asyncio.create_task(keys(pool).rotate(soon))
        await _waits(pool)

    assert await rotating == 0
    assert await keys(pool).newest("c_anna") is None


async def test_after_rewrapping_the_old_master_key_is_needed_no_more(pool: Pool) -> None:
    given = {owner: await keys(pool).newest(owner) for owner in ("c_anna", "c_bob")}
    both = keys(pool, LATER)

    assert await both.rewrap() == 2
    assert await both.rewrap() == 0
    assert [(each.master, each.keys) for each in await both.status()] == [("2027", 2)]
    for owner, key in given.items():
        assert await keys(pool, LATER).newest(owner) == key
    with pytest.raises(UnknownMasterKeyError, match="CLEW_HISTORY_KEYS"):
        await keys(pool).newest("c_anna")


async def test_rotation_gives_a_new_key_and_keeps_the_old_one(pool: Pool) -> None:
    first = await keys(pool).newest("c_anna")
    await keys(pool).newest("c_bob")
    soon = datetime.now(UTC) + timedelta(days=1)

    assert await keys(pool).rotate(datetime.now(UTC) - timedelta(days=1)) == 0
    assert await keys(pool).rotate(soon, "c_anna") == 1

    second = await keys(pool).newest("c_anna")
    assert first is not None
    assert second is not None
    assert (second[0], second[1] != first[1]) == (2, True)
    assert await keys(pool).find("c_anna", 1) == first[1]
    assert await keys(pool).rotate(soon) == 2
