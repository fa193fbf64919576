"""A member sees where they are signed in, and ends any of it once they said again that it is them."""

import re
import time
import warnings
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2 as httpx
import pytest
from pydantic import SecretStr

from stores.audit import AuditStore
from stores.database import Pool
from stores.one_time_code import code_of, step_of, written
from stores.staff_sign_ins import MOST
from tests.integration.inbox.staff_house import PASSWORD, Browser, StaffHouse, said
from tests.integration.inbox.test_login import signs_in
from tests.integration.inbox.test_second_factor import code, factors, phone

with warnings.catch_warnings():
    # It loads authlib.jose, which says on import that it goes with Authlib 2.
    warnings.filterwarnings("ignore", message="authlib.jose module is deprecated")
    import oidc_provider_mock

# The mock signs by a way that Authlib gives up with 1.8.
pytestmark = pytest.mark.filterwarnings("ignore:get_jwt_config:DeprecationWarning")

New = Callable[[], Browser]
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18 Safari/604.1"
)
NAME = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"


async def signed_in(house: StaffHouse, browser: Browser, member: str, agent: str = "") -> None:
    cookie = await house.sign_ins.begin(member, "password", address="203.0.113.9", browser=agent)
    browser.client.cookies.set("clew-staff", cookie, domain="clew.test")
    await browser.goes("/staff/sessions")


async def names(browser: Browser) -> list[str]:
    """The sessions that the page lets one end."""
    return re.findall(
        f'name="session" value="({NAME})"', (await browser.goes("/staff/sessions")).text
    )


async def test_a_member_sees_their_own_sessions_and_nobody_elses(
    house: StaffHouse, browser: New
) -> None:
    office, mobile, ben = browser(), browser(), browser()
    await signed_in(house, mobile, "eva", IPHONE)
    await signed_in(house, office, "eva", FIREFOX)
    await signed_in(house, ben, "ben", "<script>alert(1)</script>")

    page = await office.goes("/staff/sessions")

    shown = said(page)
    assert "Firefox on Linux this one" in shown
    assert "Safari on iPhone Where" in shown
    assert "The inbox, from 203.0.113.9" in shown
    assert shown.count("Last used") == shown.count("Signed in ") == 2
    assert "<script>alert" not in (await ben.goes("/staff/sessions")).text
    digests = await house.rows("select encode(digest, 'hex') as hex from staff_sessions")
    assert not any(each["hex"] in page.text for each in digests)
    assert office.client.cookies["clew-staff"] not in page.text


async def test_nothing_is_ended_before_they_said_that_it_is_them(
    house: StaffHouse, browser: New
) -> None:
    await house.passwords.set("eva", PASSWORD, by="test")
    office, mobile = browser(), browser()
    for each in (office, mobile):
        await signed_in(house, each, "eva")
    cookie = office.client.cookies["clew-staff"]
    theirs = await house.sign_ins.sessions("eva", cookie)
    [other] = [each.session for each in theirs if not each.here]

    offered = await names(office)
    tried = [
        await office.sends("/staff/sessions/end", session=each)
        for each in (str(other), "others", "all")
    ]
    wrong = await office.sends("/staff/sessions/prove", password="wrong horse battery")
    still = await office.sends("/staff/sessions/end", session=str(other))

    assert offered == []
    assert [each.status_code for each in (*tried, wrong, still)] == [403, 403, 403, 401, 403]
    assert "Eva Novak" in said(await mobile.goes("/staff"))


async def test_one_session_is_ended_or_all_others_or_all(house: StaffHouse, browser: New) -> None:
    await house.passwords.set("eva", PASSWORD, by="test")
    office, mobile, home, ben = (browser() for _ in range(4))
    for each in (mobile, home, office):
        await signed_in(house, each, "eva")
    await signed_in(house, ben, "ben")
    stolen = mobile.client.cookies["clew-staff"]
    kept = {each.session for each in await house.sign_ins.sessions("eva", stolen) if each.here}

    await office.sends("/staff/sessions/prove", password=PASSWORD)
    offered = await names(office)
    await office.sends("/staff/sessions/end", session=str(next(iter(kept))))
    one = [await each.client.get("/staff") for each in (mobile, home, office)]
    await office.sends("/staff/sessions/end", session="others")
    others = [await each.client.get("/staff") for each in (home, office)]
    last = await office.sends("/staff/sessions/end", session="all")
    out = await office.client.get("/staff")

    assert len(offered) == 2
    assert [each.status_code for each in one] == [303, 200, 200]
    assert [each.status_code for each in others] == [303, 200]
    assert (str(last.url)[-12:], out.status_code) == ("/staff/login", 303)
    assert "Ben Horak" in said(await ben.goes("/staff"))
    deeds = await AuditStore(house.pool).latest(what="member eva", who="eva")
    assert [each.did for each in deeds[:3]] == [
        "signed out everywhere",
        "ended other sessions",
        "ended a session",
    ]


async def test_whoever_proves_themselves_again_has_a_new_cookie_and_the_old_one_is_over(
    house: StaffHouse, browser: New
) -> None:
    await house.passwords.set("eva", PASSWORD, by="test")
    office = browser()
    await signed_in(house, office, "eva")
    stolen = office.client.cookies["clew-staff"]

    await office.sends("/staff/sessions/prove", password=PASSWORD)

    assert office.client.cookies["clew-staff"] != stolen
    assert await house.sign_ins.known(stolen) is None
    assert "Eva Novak" in said(await office.goes("/staff"))


async def test_that_it_is_them_counts_for_five_minutes_and_in_that_session(
    house: StaffHouse, browser: New
) -> None:
    await house.passwords.set("eva", PASSWORD, by="test")
    office, mobile = browser(), browser()
    house.now = datetime(2026, 11, 28, 12, tzinfo=UTC)
    for each in (office, mobile):
        await signed_in(house, each, "eva")
    await office.sends("/staff/sessions/prove", password=PASSWORD)

    elsewhere = await mobile.sends("/staff/sessions/end", session="others")
    house.now += timedelta(minutes=5, seconds=1)
    late = await office.sends("/staff/sessions/end", session="others")

    assert (elsewhere.status_code, late.status_code) == (403, 403)


async def test_nobody_ends_a_session_of_somebody_else(house: StaffHouse, browser: New) -> None:
    await house.passwords.set("eva", PASSWORD, by="test")
    office, ben = browser(), browser()
    await signed_in(house, office, "eva")
    await signed_in(house, ben, "ben")
    [bens] = await house.sign_ins.sessions("ben", "")

    await office.sends("/staff/sessions/prove", password=PASSWORD)
    await office.sends("/staff/sessions/end", session=str(bens.session))
    nonsense = await office.sends("/staff/sessions/end", session="'; drop table x")

    assert nonsense.status_code == 400
    assert "Ben Horak" in said(await ben.goes("/staff"))


async def test_whoever_guesses_the_password_there_waits_too(
    house: StaffHouse, browser: New
) -> None:
    await house.passwords.set("eva", PASSWORD, by="test")
    office = browser()
    await signed_in(house, office, "eva")
    for _ in range(5):
        await house.sign_ins.tried("eva", "127.0.0.1")

    late = await office.sends("/staff/sessions/prove", password=PASSWORD)

    assert late.status_code == 429


async def test_a_second_factor_is_set_up_and_changed_by_who_has_the_first(
    house: StaffHouse, browser: New
) -> None:
    await house.passwords.set("eva", PASSWORD, by="test")
    house.now = datetime(2026, 11, 28, 12, tzinfo=UTC)
    office, mobile = browser(), browser()
    for each in (office, mobile):
        await signed_in(house, each, "eva")

    unproved = await office.sends("/staff/sessions/offer")
    await office.sends("/staff/sessions/prove", password=PASSWORD)
    offered = await office.sends("/staff/sessions/offer")
    key = await factors(house).offered("eva")
    assert key is not None
    wrong = await office.sends("/staff/sessions/confirm", code="12345")
    done = await office.sends("/staff/sessions/confirm", code=code(house, key))
    out = await mobile.client.get("/staff")
    await office.goes("/staff/sessions")
    await office.sends("/staff/sessions/prove", password=PASSWORD)
    without = await office.sends("/staff/sessions/offer", code="123456")
    house.now += timedelta(seconds=30)
    changed = await office.sends("/staff/sessions/offer", code=code(house, key))

    assert (unproved.status_code, wrong.status_code) == (403, 401)
    assert written(key) in said(offered)
    assert written(key) not in said(wrong)
    assert "Recovery codes" in said(done)
    assert out.status_code == 303
    assert (without.status_code, changed.status_code) == (401, 200)
    newer = await factors(house).offered("eva")
    assert newer not in (None, key)
    assert await factors(house).has("eva")


async def test_a_member_changes_their_password_by_the_one_that_counts(
    house: StaffHouse, browser: New
) -> None:
    await house.passwords.set("eva", PASSWORD, by="test")
    office, mobile = browser(), browser()
    for each in (office, mobile):
        await signed_in(house, each, "eva")
    new = "a newer horse battery"

    async def asks(current: str, wanted: str, again: str) -> int:
        told = {"password": current, "new": wanted, "again": again}
        return (await office.sends("/staff/sessions/password", **told)).status_code

    refused = [
        await asks("wrong horse battery", new, new),
        await asks(PASSWORD, new, new + "!"),
        await asks(PASSWORD, "short", "short"),
    ]
    kept = await house.passwords.knows("eva", PASSWORD)
    done = await asks(PASSWORD, new, new)

    assert (refused, kept, done) == ([401, 400, 400], "eva", 200)
    assert [await house.passwords.knows("eva", each) for each in (PASSWORD, new)] == [None, "eva"]
    assert (await mobile.client.get("/staff")).status_code == 303
    deed = (await AuditStore(house.pool).latest(what="member eva", who="eva"))[0]
    assert deed.did == "set a password"


async def test_each_page_of_the_inbox_has_a_way_out(house: StaffHouse, browser: New) -> None:
    case, eva = await house.opened(), browser()
    await signed_in(house, eva, "eva")

    for path in (
        "", f"/case/{case}", "/case/none", "/new", "/problems", "/problems/none", "/figures", "/replies", "/sessions",
    ):  # fmt: skip
        page = await eva.goes(f"/staff{path}")
        assert re.search(
            r'action="/staff/logout">.*?<button>Sign out</button>', page.text, re.DOTALL
        ), path


@pytest.mark.parametrize("asks_again", [True, False])
async def test_who_signs_in_at_the_provider_proves_themselves_there_again(
    pool: Pool, monkeypatch: pytest.MonkeyPatch, asks_again: bool
) -> None:
    """A provider that lets in whoever signed in there an hour ago is not believed to have asked again."""
    monkeypatch.setattr(
        "oidc_provider_mock._storage.AuthorizationCode.get_auth_time",
        lambda _: int(time.time()) - (0 if asks_again else 3_600),
    )
    with oidc_provider_mock.run_server_in_thread(require_nonce=True) as server:
        issuer = f"http://localhost:{server.server_port}"
        house = StaffHouse(
            pool, oidc_issuer=issuer, oidc_client_id="clew", oidc_client_secret=SecretStr("secret")
        )
        await house.furnish()
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=house.app()), base_url="http://clew.test"
        ) as client, httpx.AsyncClient() as there:  # fmt: skip
            eva = Browser(client)
            known = {"email": "eva@house.example", "email_verified": True}
            await there.put(f"{issuer}/users/s-eva", json=known)
            await there.put(f"{issuer}/users/s-ben", json=known | {"email": "ben@house.example"})
            other = await house.sign_ins.begin("eva", "test")

            async def comes_back(path: str, subject: str) -> httpx.Response:
                sent = await client.get(path)
                asked = parse_qs(urlsplit(sent.headers["location"]).query)
                assert ("prompt" in asked) == ("again" in path)
                back = await there.post(sent.headers["location"], data={"sub": subject})
                return await eva.goes(str(back.headers["location"]))

            await comes_back("/staff/openid", "s-eva")
            page = said(await eva.goes("/staff/sessions"))
            somebody = await comes_back("/staff/openid?again=yes&to=/staff/sessions", "s-ben")
            await eva.goes("/staff/sessions")
            early = await eva.sends("/staff/sessions/end", session="others")
            shown = await comes_back("/staff/openid?again=yes&to=/staff/sessions", "s-eva")
            await eva.goes("/staff/sessions")
            ended = await eva.sends("/staff/sessions/end", session="others")

            assert "Sign in again with single sign-on" in page
            assert "Password" not in page
            assert (somebody.status_code, early.status_code) == (403, 403)
            assert (shown.status_code, ended.status_code) == (
                (200, 200) if asks_again else (403, 403)
            )
            assert (await house.sign_ins.known(other) is None) == asks_again


async def test_of_too_many_sessions_the_one_used_longest_ago_makes_room(house: StaffHouse) -> None:
    house.now = datetime(2026, 11, 28, 12, tzinfo=UTC)
    bens, cookies = await house.sign_ins.begin("ben", "test"), list[str]()
    for _ in range(MOST):
        house.now += timedelta(minutes=2)
        cookies.append(await house.sign_ins.begin("eva", "test"))
    assert await house.sign_ins.known(cookies[0]) is not None  # used just now

    house.now += timedelta(minutes=2)
    await house.sign_ins.begin("eva", "test")

    open_now = [await house.sign_ins.known(each) is not None for each in cookies]
    assert open_now == [True, False] + [True] * (MOST - 2)
    assert await house.sign_ins.known(bens) is not None


async def test_a_session_says_by_what_it_was_begun(house: StaffHouse, browser: New) -> None:
    await house.passwords.set("eva", PASSWORD, by="test")
    house.now = datetime(2026, 11, 28, 12, tzinfo=UTC)
    key, _ = await phone(house)
    eva = browser()
    eva.client.headers["user-agent"] = FIREFOX
    await signs_in(eva, "eva", PASSWORD)
    await eva.sends("/staff/login/code", code=code_of(key, step_of(house.clock())))

    page = said(await eva.goes("/staff/sessions"))

    assert "Firefox on Linux this one" in page
    assert "from 127.0.0.1" in page
    assert "by password and a code" in page


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (FIREFOX, "Firefox on Linux"),
        (IPHONE, "Safari on iPhone"),
        ("curl/8.5", "curl/8.5"),
        ("", "unknown"),
    ],
)
async def test_a_browser_is_called_as_its_user_calls_it(agent: str, words: str) -> None:
    from console.inbox_words import browser_words

    assert browser_words(agent) == words


async def test_the_way_to_the_histories_is_one_passage_for_the_browser_that_asked(
    pool: Pool,
) -> None:
    house: Any = StaffHouse(pool, codec_url="http://histories.test")
    await house.furnish()
    transport = httpx.ASGITransport(app=house.app())
    async with httpx.AsyncClient(transport=transport, base_url="http://clew.test") as client:
        shut = await client.get(f"/staff/histories?state={'s' * 43}")
        await house.signed_in(client, "eva")
        menu = await client.get("/staff")
        led = await client.get(f"/staff/histories?state={'s' * 43}")
        begun = await client.get("/staff/histories?state=https://evil.example")
    [leads_to] = set(re.findall(r'(?:url=|href=")(http[^"]*)"', led.text))
    [passage] = parse_qs(urlsplit(unescape(leads_to)).query)["passage"]

    came = await house.sign_ins.end_passage(passage)
    again = await house.sign_ins.end_passage(passage)

    assert shut.headers["location"].startswith("/staff/login")
    assert "Histories in Temporal" in menu.text
    assert leads_to.startswith(f"http://histories.test/enter?state={'s' * 43}&")
    assert begun.headers["location"] == "http://histories.test/sign-in"
    assert came is not None
    assert (came[0].member, came[1], again) == ("eva", "test", None)
