"""Write keys: shown once, kept as a digest, refused once revoked."""

from datetime import datetime, timedelta

from stores.audit import AuditStore
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


async def test_a_new_key_goes_beside_the_old_one_and_ends_when_that_would_have(pool: Pool) -> None:
    keys = WriteKeyStore(pool)
    old = await keys.create("shop", scopes=["ingest"], lasts=timedelta(days=30))

    new = await keys.rotate("shop", overlap=timedelta(hours=1), by="eva")

    assert new is not None
    assert (await keys.name_of(old), await keys.name_of(new)) == ("shop", "shop")
    assert await keys.name_of(new, "devices") is None
    ends = sorted(each.expires_at for each in await keys.keys() if each.expires_at)
    assert len(ends) == 2
    assert timedelta(days=29) < ends[1] - ends[0] < timedelta(days=30)


async def test_a_key_without_end_is_followed_by_one_without_end_at_once_if_need_be(
    pool: Pool,
) -> None:
    keys = WriteKeyStore(pool)
    old = await keys.create("shop")

    new = await keys.rotate("shop", overlap=timedelta(0))

    assert new is not None
    assert (await keys.name_of(old), await keys.name_of(new, "devices")) == (None, "shop")
    assert sum(each.expires_at is None for each in await keys.keys()) == 1
    assert await keys.rotate("nobody", overlap=timedelta(0)) is None


async def test_rotating_does_not_make_an_old_key_last_longer(pool: Pool) -> None:
    keys = WriteKeyStore(pool)
    await keys.create("shop", lasts=timedelta(hours=1))

    await keys.rotate("shop", overlap=timedelta(days=7))

    ends = [each.expires_at for each in await keys.keys()]
    assert len(ends) == 2
    assert len(set(ends)) == 1


async def test_what_is_done_with_keys_is_in_the_audit(pool: Pool) -> None:
    keys = WriteKeyStore(pool)
    await keys.create("shop", by="eva")
    await keys.rotate("shop", overlap=timedelta(0), by="eva")
    await keys.revoke("shop", by="eva")

    deeds = await AuditStore(pool).latest(what="write key shop")
    assert [(deed.who, deed.did) for deed in reversed(deeds)] == [
        ("eva", "made"),
        ("eva", "rotated"),
        ("eva", "revoked"),
    ]


async def test_when_a_key_was_used_is_known_to_the_hour_and_only_of_what_it_opens(
    pool: Pool,
) -> None:
    keys = WriteKeyStore(pool)
    key = await keys.create("shop", scopes=["ingest"])

    async def used() -> datetime | None:
        return (await keys.keys())[0].used_at

    assert await keys.name_of(key, "devices") is None
    assert await used() is None
    assert await keys.name_of(key) == "shop"
    first = await used()
    assert first is not None
    await keys.name_of(key)
    assert await used() == first
    async with pool.connection() as connection:
        await connection.execute("update write_keys set used_at = now() - interval '61 minutes'")
    await keys.name_of(key)
    again = await used()
    assert again is not None
    assert again >= first
