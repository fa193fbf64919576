"""Who signs in by password shows a second factor: a code that counts once, or a recovery code."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from getpass import getuser

import httpx2 as httpx
import pytest
import pytest_asyncio

from cli.member_proofs import reset_second_factor, sign_out_of_staff
from cli.output import CommandError
from contracts.sealing import MasterKeys
from stores.audit import AuditStore
from stores.database import Pool
from stores.one_time_code import code_of, step_of
from stores.second_factors import RECOVERY_CODES, SecondFactorStore
from tests.integration.inbox.staff_house import PASSWORD, Browser, StaffHouse, said
from tests.integration.inbox.test_login import signs_in

New = Callable[[], Browser]
NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
STEP = timedelta(seconds=30)


@pytest_asyncio.fixture
async def house(pool: Pool) -> StaffHouse:
    """A house that demands a second factor of everybody; it is noon, and Eva has a password."""
    house = StaffHouse(pool, second_factor="everybody")
    await house.furnish()
    await house.passwords.set("eva", PASSWORD, by="test")
    house.now = NOON
    return house


@pytest_asyncio.fixture
async def browser(house: StaffHouse) -> AsyncIterator[New]:
    app = house.app()
    async with AsyncExitStack() as parts:

        def new() -> Browser:
            transport = httpx.ASGITransport(app=app)
            client = httpx.AsyncClient(transport=transport, base_url="http://clew.test")
            parts.push_async_callback(client.aclose)
            return Browser(client)

        yield new


def factors(house: StaffHouse) -> SecondFactorStore:
    return SecondFactorStore(house.pool, house.told.master_keys(), house.clock)


async def key_of(house: StaffHouse, member: str = "eva") -> bytes:
    """What a phone has once it was set up."""
    store = factors(house)
    await store.offer(member)
    key = await store.offered(member)
    assert key is not None
    return key


async def phone(house: StaffHouse, member: str = "eva") -> tuple[bytes, list[str]]:
    """A second factor that counts, and its recovery codes; its first code is used."""
    key = await key_of(house, member)
    codes = await factors(house).confirm(member, code_of(key, step_of(house.clock())))
    assert codes is not None
    house.now = house.clock() + STEP
    return key, codes


def code(house: StaffHouse, key: bytes) -> str:
    return code_of(key, step_of(house.clock()))


async def test_the_password_alone_opens_nothing(house: StaffHouse, browser: New) -> None:
    key, _ = await phone(house)
    eva = browser()

    asked = await signs_in(eva, "eva", PASSWORD, "/staff/replies")
    inside = await eva.client.get("/staff")
    half = eva.client.cookies["clew-staff-half"]
    forged = await house.sign_ins.known(half)
    await eva.goes("/staff/login/code")
    shown = await eva.sends("/staff/login/code", code=code(house, key))

    assert "Your second factor" in asked
    assert (inside.status_code, inside.headers["location"][:12]) == (303, "/staff/login")
    assert forged is None
    assert str(shown.url).endswith("/staff/replies")
    assert "Eva Novak" in said(shown)
    deeds = await AuditStore(house.pool).latest(what="member eva", who="eva")
    assert (deeds[0].did, deeds[0].detail) == ("signed in", {"by": "password and a code"})
    assert await house.sign_ins.half(half) is None


async def test_whoever_has_none_sets_it_up_before_they_are_in(
    house: StaffHouse, browser: New
) -> None:
    eva = browser()

    page = await signs_in(eva, "eva", PASSWORD)
    key = await factors(house).offered("eva")
    assert key is not None
    wrong = await eva.sends(
        "/staff/login/code", code="000000" if code(house, key) != "000000" else "1"
    )
    inside = await eva.client.get("/staff")
    right = await eva.sends("/staff/login/code", code=code(house, key))

    assert "Set up a second factor" in page
    assert re.search(r"Key [A-Z2-7]{4}( [A-Z2-7]{4}){7} ", page)
    assert (wrong.status_code, inside.status_code, right.status_code) == (401, 303, 200)
    assert len(re.findall(r"(?:[A-Z2-7]{4}-){5}[A-Z2-7]{4}", said(right))) == RECOVERY_CODES
    assert "Sign out" in said(right)
    assert "Eva Novak" in said(await eva.goes("/staff"))
    assert "codes" not in said(await eva.goes("/staff/sessions")).replace(
        "Recovery codes left: 10", ""
    )


async def test_a_code_counts_once_and_in_its_thirty_seconds(
    house: StaffHouse, browser: New
) -> None:
    key, _ = await phone(house)
    first, thief, late = browser(), browser(), browser()
    for each in (first, thief, late):
        await signs_in(each, "eva", PASSWORD)
    used = code(house, key)

    right = await first.sends("/staff/login/code", code=f"{used[:3]} {used[3:]}")
    replayed = await thief.sends("/staff/login/code", code=used)
    house.now = house.clock() + STEP
    over = await late.sends("/staff/login/code", code=used)

    assert right.status_code == 200
    assert (replayed.status_code, over.status_code) == (401, 401)
    assert "Take the next one" in said(replayed)


async def test_the_first_code_of_a_new_phone_is_used_by_setting_it_up(house: StaffHouse) -> None:
    key = await key_of(house)
    first = code(house, key)

    assert await factors(house).confirm("eva", first) is not None
    assert await factors(house).shown("eva", first) is None


async def test_a_recovery_code_lets_in_once_and_is_kept_as_a_digest(
    house: StaffHouse, browser: New
) -> None:
    _, codes = await phone(house)
    first, thief = browser(), browser()
    for each in (first, thief):
        await signs_in(each, "eva", PASSWORD)

    right = await first.sends("/staff/login/code", code=codes[0].lower().replace("-", " "))
    again = await thief.sends("/staff/login/code", code=codes[0])
    rows = await house.rows("select digest::text || member as kept from recovery_codes")
    deeds = await AuditStore(house.pool).latest(what="member eva", who="eva")

    assert (right.status_code, again.status_code) == (200, 401)
    assert len(rows) == RECOVERY_CODES - 1
    assert not any(each.replace("-", "") in str(rows) for each in codes)
    assert [each.did for each in deeds[:2]] == ["signed in", "used a recovery code"]
    assert deeds[0].detail == {"by": "password and a recovery code"}


async def test_a_code_of_somebody_else_is_none(house: StaffHouse) -> None:
    _, evas = await phone(house)
    key, _ = await phone(house, "ben")

    assert await factors(house).shown("eva", code(house, key)) is None
    assert await factors(house).shown("ben", evas[0]) is None


async def test_whoever_guesses_codes_waits_even_where_they_guess_right(
    house: StaffHouse, browser: New
) -> None:
    key, _ = await phone(house)
    thief = browser()
    await signs_in(thief, "eva", PASSWORD)
    wrong = next(each for each in ("111111", "222222") if each != code(house, key))

    tried = [(await thief.sends("/staff/login/code", code=wrong)).status_code for _ in range(5)]
    late = await thief.sends("/staff/login/code", code=code(house, key))
    house.now = house.clock() + timedelta(minutes=16)
    await signs_in(thief, "eva", PASSWORD)
    later = await thief.sends("/staff/login/code", code=code(house, key))

    assert tried == [401] * 5
    assert (late.status_code, later.status_code) == (429, 200)


async def test_who_knew_the_password_long_ago_says_it_again(
    house: StaffHouse, browser: New
) -> None:
    key, _ = await phone(house)
    eva, gone = browser(), browser()
    await signs_in(eva, "eva", PASSWORD)
    await house.passwords.set("ben", PASSWORD, by="test")
    await signs_in(gone, "ben", PASSWORD)

    house.now = house.clock() + timedelta(minutes=11)
    late = await eva.sends("/staff/login/code", code=code(house, key))
    await house.members.leave("ben", by="test")
    left = await gone.goes("/staff/login/code")

    assert str(late.url).endswith("/staff/login")
    assert str(left.url).endswith("/staff/login")


async def test_the_page_of_the_code_takes_no_form_of_another_site(
    house: StaffHouse, browser: New
) -> None:
    key, _ = await phone(house)
    eva = browser()
    await signs_in(eva, "eva", PASSWORD)
    told = {"csrf": "0" * 64, "code": code(house, key)}

    forged = await eva.client.post("/staff/login/code", data=told)
    foreign = await eva.client.post(
        "/staff/login/code",
        data=told | {"csrf": eva.csrf},
        headers={"Origin": "https://evil.example"},
    )

    assert (forged.status_code, foreign.status_code) == (403, 403)


@pytest.mark.parametrize(
    ("demanded", "asked"),
    [("everybody", {"eva", "lena", "root"}), ("leads", {"lena", "root"}), ("choice", set[str]())],
)
async def test_of_whom_it_is_asked_is_a_setting(pool: Pool, demanded: str, asked: set[str]) -> None:
    house = StaffHouse(pool, second_factor=demanded)
    await house.furnish()
    transport = httpx.ASGITransport(app=house.app())
    found = set[str]()
    for member in ("eva", "lena", "root"):
        await house.passwords.set(member, PASSWORD, by="test")
        async with httpx.AsyncClient(transport=transport, base_url="http://clew.test") as client:
            if "Set up a second factor" in await signs_in(Browser(client), member, PASSWORD):
                found.add(member)

    assert found == asked


async def test_whoever_set_one_up_shows_it_also_where_nobody_asks(pool: Pool) -> None:
    house = StaffHouse(pool, second_factor="choice")
    await house.furnish()
    await house.passwords.set("eva", PASSWORD, by="test")
    await phone(house)

    transport = httpx.ASGITransport(app=house.app())
    async with httpx.AsyncClient(transport=transport, base_url="http://clew.test") as client:
        assert "Your second factor" in await signs_in(Browser(client), "eva", PASSWORD)


async def test_a_lost_one_is_reset_by_an_operator_and_the_audit_says_who(
    house: StaffHouse, browser: New
) -> None:
    key, codes = await phone(house)
    cookie, eva = await house.sign_ins.begin("eva", "test"), browser()

    await reset_second_factor(house.pool, house.told.master_keys(), "eva")

    [deed] = await AuditStore(house.pool).latest(what="member eva", who=f"command: {getuser()}")
    assert deed.did == "reset the second factor"
    assert await house.sign_ins.known(cookie) is None
    assert await factors(house).shown("eva", code(house, key)) is None
    assert await factors(house).shown("eva", codes[0]) is None
    assert "Set up a second factor" in await signs_in(eva, "eva", PASSWORD)
    for name, words in (("eva", "no second factor"), ("nobody", "no member 'nobody'")):
        with pytest.raises(CommandError, match=words):
            await reset_second_factor(house.pool, house.told.master_keys(), name)


async def test_who_leaves_and_comes_back_sets_up_a_new_one(house: StaffHouse) -> None:
    key, _ = await phone(house)
    eva = await house.members.member("eva")
    assert eva is not None

    await house.members.leave("eva", by="test")
    await house.members.put(eva, by="test")

    assert not await factors(house).has("eva")
    assert await factors(house).shown("eva", code(house, key)) is None


async def test_keys_are_sealed_and_come_under_a_new_master_key(house: StaffHouse) -> None:
    key, _ = await phone(house)
    old = house.told.master_keys()
    secret = house.told.secret.get_secret_value()
    new = MasterKeys.read("2027:" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY=", secret)
    [row] = await house.rows("select master, secret from second_factors")

    done = [await SecondFactorStore(house.pool, new, house.clock).rewrap() for _ in range(2)]

    [kept] = await house.rows("select master from second_factors")
    assert key not in bytes(row["secret"])
    assert (row["master"], done, kept["master"]) == (old.newest, [1, 0], "2027")
    assert await SecondFactorStore(house.pool, new, house.clock).shown("eva", code(house, key))


async def test_an_operator_signs_out_a_member_or_everybody(house: StaffHouse) -> None:
    eva, ben, lena = [await house.sign_ins.begin(each, "test") for each in ("eva", "ben", "lena")]

    one = await sign_out_of_staff(house.pool, "eva")
    known = [await house.sign_ins.known(each) is not None for each in (eva, ben, lena)]
    others = await sign_out_of_staff(house.pool, None)

    assert (one, known, others) == (1, [False, True, True], 2)
    assert [await house.sign_ins.known(each) for each in (ben, lena)] == [None, None]
    with pytest.raises(CommandError, match="no member 'nobody'"):
        await sign_out_of_staff(house.pool, "nobody")


async def test_a_new_password_leaves_the_second_factor(house: StaffHouse, browser: New) -> None:
    key, _ = await phone(house)

    await house.passwords.set("eva", "a newer horse battery", by="test")

    eva = browser()
    assert "Your second factor" in await signs_in(eva, "eva", "a newer horse battery")
    assert (await eva.sends("/staff/login/code", code=code(house, key))).status_code == 200
