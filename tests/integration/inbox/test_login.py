"""Staff sign in by password: nobody learns who works here, nobody guesses for long, and out is out."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx2 as httpx
import pytest

from stores.audit import AuditStore
from stores.member_passwords import WeakPasswordError
from stores.members import UnknownMemberError
from tests.integration.inbox.staff_house import PASSWORD, Browser, StaffHouse, said

New = Callable[[], Browser]


async def signs_in(browser: Browser, name: str, password: str, to: str = "/staff") -> str:
    await browser.goes(f"/staff/login?to={to}")
    return said(await browser.sends("/staff/login", name=name, password=password, to=to))


async def test_a_member_signs_in_by_name_or_address_and_comes_where_they_wanted(
    house: StaffHouse, browser: New
) -> None:
    await house.passwords.set("eva", PASSWORD, by="test")
    case = await house.opened()

    led = await browser().goes(f"/staff/case/{case}")
    shown = await signs_in(browser(), "EVA@house.example", PASSWORD, f"/staff/case/{case}")

    assert str(led.url).endswith(f"/staff/login?to=%2Fstaff%2Fcase%2F{case.replace(':', '%3A')}")
    assert "The parcel came broken" in shown
    [deed] = await AuditStore(house.pool).latest(what="member eva", who="eva")
    assert (deed.did, deed.actor, deed.detail) == ("signed in", "eva", {"by": "password"})


async def test_a_wrong_password_and_an_unknown_name_are_told_the_same(
    house: StaffHouse, browser: New
) -> None:
    await house.passwords.set("eva", PASSWORD, by="test")

    wrong = await signs_in(browser(), "eva", "wrong horse battery")
    unknown = await signs_in(browser(), "nobody", PASSWORD)
    without = await signs_in(browser(), "ben", "")

    assert "Name or password is wrong." in wrong
    assert wrong == unknown == without


async def test_whoever_guesses_waits_even_where_they_guess_right(
    house: StaffHouse, browser: New
) -> None:
    await house.passwords.set("eva", PASSWORD, by="test")
    for _ in range(5):
        await house.sign_ins.tried("eva", "127.0.0.1")

    late = await signs_in(browser(), "eva", PASSWORD)
    house.now = datetime.now(UTC) + timedelta(minutes=16)
    later = await signs_in(browser(), "eva", PASSWORD)

    assert "come again in a quarter of an hour" in late
    assert "Eva Novak" in later


@pytest.mark.parametrize("after", [timedelta(hours=2), timedelta(hours=8)])
async def test_whoever_does_nothing_or_stays_too_long_is_out(
    house: StaffHouse, after: timedelta
) -> None:
    cookie, began = await house.sign_ins.begin("eva", "test"), datetime.now(UTC)
    steps = int(after / timedelta(hours=1)) if after > timedelta(hours=2) else 1

    for hour in range(1, steps):  # in use all the time
        house.now = began + timedelta(hours=hour)
        assert await house.sign_ins.known(cookie) is not None
    house.now = began + after + timedelta(seconds=1)

    assert await house.sign_ins.known(cookie) is None


async def test_out_is_out_in_this_browser_at_once(house: StaffHouse, browser: New) -> None:
    office, phone = browser(), browser()
    for each in (office, phone):
        await house.signed_in(each.client, "eva")
    stolen = office.client.cookies["clew-staff"]

    await office.goes("/staff")
    await office.sends("/staff/logout")

    assert await house.sign_ins.known(stolen) is None
    assert "Sign in" in said(await office.goes("/staff"))
    assert "Eva Novak" in said(await phone.goes("/staff"))


async def test_whoever_signs_in_again_has_a_new_session_of_256_bits(
    house: StaffHouse, browser: New
) -> None:
    await house.passwords.set("eva", PASSWORD, by="test")
    eva, cookies = browser(), list[str]()
    for _ in range(2):
        await signs_in(eva, "eva", PASSWORD)
        cookies.append(eva.client.cookies["clew-staff"])

    assert cookies[0] != cookies[1]
    assert {len(each) for each in cookies} == {43}
    assert [await house.sign_ins.known(each) is not None for each in cookies] == [False, True]
    assert await house.sign_ins.known("A" * 43) is None


async def test_whoever_leaves_or_gets_a_new_password_is_out_at_once(house: StaffHouse) -> None:
    eva, ben = await house.sign_ins.begin("eva", "test"), await house.sign_ins.begin("ben", "test")

    await house.passwords.set("eva", PASSWORD, by="test")
    await house.members.leave("ben", by="test")

    assert [await house.sign_ins.known(each) for each in (eva, ben)] == [None, None]
    assert await house.passwords.knows("ben", PASSWORD) is None


async def test_a_password_is_long_and_somebodys(house: StaffHouse) -> None:
    with pytest.raises(WeakPasswordError):
        await house.passwords.set("eva", "short", by="test")
    with pytest.raises(UnknownMemberError):
        await house.passwords.set("nobody", PASSWORD, by="test")

    await house.passwords.set("eva", PASSWORD, by="test")
    [row] = await house.rows("select password from members where member = 'eva'")

    assert row["password"].startswith("scrypt$15$8$3$")
    assert PASSWORD not in row["password"]
    assert [await house.passwords.knows("eva", each) for each in (PASSWORD, PASSWORD + " ")] == [
        "eva",
        None,
    ]


@pytest.mark.parametrize(
    "password",
    [
        "vier storks at dusk",
        "  o u r   s p a c e s  ",
        "73-geese+51-owls " * 11,
        "паролькошка",
        "🐎🦊🐙🌵🎷🧭🪁🥁🛶🪐🧶🦉",
    ],
)
async def test_a_password_is_of_any_characters(house: StaffHouse, password: str) -> None:
    password = password.ljust(12, "х")
    await house.passwords.set("eva", password, by="test")

    assert await house.passwords.knows("eva", password) == "eva"


@pytest.mark.parametrize(
    "password",
    ["Novak-of-the-sales", "my eva@house.example", "CLEW is for customers", "1234HOUSE1234"],
)
async def test_what_everybody_knows_of_a_member_is_no_password(
    house: StaffHouse, password: str
) -> None:
    with pytest.raises(WeakPasswordError, match="everybody here knows"):
        await house.passwords.set("eva", password, by="test")


async def test_a_form_of_another_site_or_session_is_refused(
    house: StaffHouse, browser: New
) -> None:
    case = await house.opened()
    eva, path = browser(), f"/staff/case/{case}/claim"
    await house.signed_in(eva.client, "eva")
    await eva.goes("/staff")
    right = eva.csrf

    for csrf, headers in (
        ("", {}),
        (right[:-1] + ("0" if right[-1] != "0" else "1"), {}),
        (right, {"Origin": "https://evil.example"}),
        (right, {"Sec-Fetch-Site": "cross-site"}),
    ):
        answer = await eva.client.post(path, data={"csrf": csrf}, headers=headers)
        assert answer.status_code == 403, (csrf, headers)
    login = await browser().client.post("/staff/login", data={"name": "eva", "password": PASSWORD})

    found = await house.desk.named(case)
    assert login.status_code == 403
    assert found is not None
    assert found.state == "open"


async def test_cookies_are_shut_to_scripts_and_other_hosts_and_pages_to_frames(
    house: StaffHouse,
) -> None:
    abroad = StaffHouse(house.pool, "https://clew.test")
    await house.passwords.set("eva", PASSWORD, by="test")
    transport = httpx.ASGITransport(app=abroad.app())
    async with httpx.AsyncClient(transport=transport, base_url="https://clew.test") as client:
        eva = Browser(client)
        page = await eva.goes("/staff/login")
        told = {"csrf": eva.csrf, "name": "eva", "password": PASSWORD}
        answer = await client.post("/staff/login", data=told)

    [cookie] = [each for each in answer.headers.get_list("set-cookie") if "Max-Age=28800" in each]
    assert cookie.startswith("__Host-clew-staff=")
    assert {"HttpOnly", "Secure", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
    policy = page.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


@pytest.mark.parametrize(
    "leads_to", ["https://evil.example", "//evil.example", "/staffevil", "/staff/\\evil"]
)
async def test_nobody_is_led_elsewhere_after_signing_in(
    house: StaffHouse, browser: New, leads_to: str
) -> None:
    await house.passwords.set("eva", PASSWORD, by="test")
    eva = browser()
    await eva.goes("/staff/login")

    answer = await eva.client.post(
        "/staff/login", data={"csrf": eva.csrf, "name": "eva", "password": PASSWORD, "to": leads_to}
    )

    assert (answer.status_code, answer.headers["location"]) == (303, "/staff")
