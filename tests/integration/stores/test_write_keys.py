"""Write keys: shown once, kept as a digest, refused once revoked."""

from stores.database import Pool
from stores.write_keys import WriteKeyStore


async def test_a_key_is_known_by_its_name_until_it_is_revoked(pool: Pool) -> None:
    keys = WriteKeyStore(pool)
    key = await keys.create("shop")
    other = await keys.create("shop")

    assert len(key) >= 43
    assert key != other
    assert await keys.name_of(key) == "shop"
    assert await keys.name_of("made up") is None
    assert await keys.name_of("\ud800\0") is None

    assert await keys.revoke("shop") == 2
    assert await keys.name_of(key) is None
    assert [each.revoked_at is not None for each in await keys.keys()] == [True, True]


async def test_the_key_itself_is_nowhere_in_the_database(pool: Pool) -> None:
    key = await WriteKeyStore(pool).create("shop")

    async with pool.connection() as connection:
        cursor = await connection.execute("select w::text as held from write_keys w")
        rows = await cursor.fetchall()
    assert key not in str(rows)


async def test_a_key_chosen_elsewhere_is_taken_and_a_revoked_one_can_come_back(pool: Pool) -> None:
    keys = WriteKeyStore(pool)
    await keys.add("demo", "demo-key")
    await keys.revoke("demo")
    await keys.add("demo", "demo-key")

    assert await keys.name_of("demo-key") == "demo"
    assert len(await keys.keys()) == 1
