"""A link opens its page from wherever its customer comes, and whoever reads what was asked for gets nowhere."""

import asyncio
import logging
import re
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from itertools import product
from urllib.parse import quote

import httpx2 as httpx
import pytest
import pytest_asyncio
import structlog

from api.opened_links import MOST_OPEN
from channels.customer_links import PATHS, PageKind
from channels.opened_link import LONGEST, UNUSED, OpenedLinks, page_name
from stores.consents import ConsentStore
from stores.preferences import PreferenceStore
from tests.integration.api.guest_house import ADDRESS, NOW, SECRET, GuestHouse, dump
from tests.integration.api.link_browser import opened, token_of
from workers.http_settings import HttpSettings
from workers.process import Life
from workers.web import serve_http

KINDS = tuple(PATHS)
COOKIE = "__Host-clew-page"


@asynccontextmanager
async def telephone(house: GuestHouse) -> AsyncGenerator[httpx.AsyncClient]:
    """A browser of its own, which does nothing by itself."""
    transport = httpx.ASGITransport(app=house.app())
    async with httpx.AsyncClient(transport=transport, base_url=ADDRESS) as browser:
        yield browser


@pytest_asyncio.fixture
async def phone(house: GuestHouse) -> AsyncIterator[httpx.AsyncClient]:
    async with telephone(house) as browser:
        yield browser


@pytest.fixture
def later(house: GuestHouse) -> Iterator[GuestHouse]:
    """The hotel, whose clock this test may put forward."""
    yield house
    house.now = NOW


def links_of(house: GuestHouse) -> dict[str, str]:
    """A link of each kind that is opened, by its path."""
    links = {PATHS[kind]: house.links.url(kind, house.anna, house.stay) for kind in KINDS}
    return {**links, "s": house.survey(house.anna, "opened")}


# -- what stands in an address


async def test_a_link_in_a_message_has_its_secret_where_no_browser_sends_it(
    house: GuestHouse,
) -> None:
    links = links_of(house)

    assert set(links) == set(UNUSED)
    for path, link in links.items():
        address, _, told = link.partition("#")
        assert address == f"{ADDRESS}/{path}"
        assert told.count(".") == 2


async def test_where_links_are_opened_is_the_same_for_everybody(
    house: GuestHouse, phone: httpx.AsyncClient
) -> None:
    for path in UNUSED:
        asked = [await phone.get(f"/{path}"), await phone.get(f"/{path}?customer={house.anna}")]

        assert {page.status_code for page in asked} == {200}
        assert asked[0].text == asked[1].text
        assert f'<form method="post" action="/{path}" data-opens>' in asked[0].text
        assert "set-cookie" not in asked[0].headers
        assert asked[0].headers["referrer-policy"] == "no-referrer"
        assert asked[0].headers["cache-control"] == "no-store"
        assert "script-src 'self'" in asked[0].headers["content-security-policy"]
        assert "unsafe" not in asked[0].headers["content-security-policy"]


async def test_what_a_link_opened_is_in_a_cookie_of_this_page_and_no_address_has_it(
    house: GuestHouse, phone: httpx.AsyncClient
) -> None:
    for path, link in links_of(house).items():
        answer = await phone.post(f"/{path}", data={"link": link})

        where, cookie = answer.headers["location"], answer.headers["set-cookie"]
        rules = set(cookie.split("; ")[1:])
        assert answer.status_code == 303
        assert where == f"/{path}/{page_name(token_of(link))}"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert cookie.startswith(f"{COOKIE}-{path}-{page_name(token_of(link))}=")
        assert {"HttpOnly", "Secure", "SameSite=lax", "Path=/"} <= rules
        assert not any(rule.startswith("Domain") for rule in rules)
        assert f"Max-Age={int(UNUSED[path].total_seconds())}" in rules
        assert token_of(link) not in cookie
        assert (await phone.get(where)).status_code == 200


@pytest.mark.parametrize("path", UNUSED)
async def test_who_reads_the_addresses_gets_nowhere_with_them(
    house: GuestHouse, phone: httpx.AsyncClient, path: str
) -> None:
    """Also where somebody made the address of old, with the token in it."""
    link = links_of(house)[path]
    page = await opened(phone, link)
    below = {"w": ["/events"], "d": ["/export", "/erase", "/correct"]}.get(path, [])
    before = await dump(house)

    async with telephone(house) as stranger:
        for at, method in product([page, f"/{path}/{token_of(link)}"], ["GET", "POST"]):
            for each in ("", *below):
                answer = await stranger.request(method, at + each, data={"sure": "yes"})
                assert answer.status_code in (403, 405)
                assert "set-cookie" not in answer.headers
                assert not re.search("Nováková|MER-2231|recommend", answer.text)

    assert await dump(house) == before


async def test_every_way_from_page_to_page_is_a_form(
    house: GuestHouse, visitor: httpx.AsyncClient
) -> None:
    for link in links_of(house).values():
        page = await visitor.get(link)
        token = re.compile(r"1\.[\w-]{8,}\.[\w-]{22}")

        assert not [
            each
            for each in re.findall('(?:href|action|src)="([^"]*)"', page.text)
            if token.search(each)
        ]
        sent = re.findall(
            r'<form method="post" action="(/\w)"><button class="way" name="link" value="([^"]*)"',
            page.text,
        )
        for path, told in sent:
            assert (await visitor.post(path, data={"link": told})).status_code == 303


# -- nothing is lost for customers


async def test_what_looks_ahead_at_a_link_uses_nothing_up_and_it_opens_on_every_telephone(
    house: GuestHouse,
) -> None:
    for link in links_of(house).values():
        address = link.partition("#")[0]
        async with telephone(house) as scanner:
            for method in ("HEAD", "GET", "OPTIONS", "GET"):
                await scanner.request(method, address)
            await scanner.post(address, data={"link": link})
        for _ in range(3):
            async with telephone(house) as browser:
                assert (await browser.get(await opened(browser, link))).status_code == 200


@pytest.mark.parametrize(
    "how",
    [
        "{link}",
        "  {link} ",
        "{token}",
        "{broken}",
        "{quoted}",
        "#{token}",
        "x {link}",
        "<{link}>.",
        "({link})",
        "{other}#{token}",
        "https://guard.example/?url={rewritten}&data=05%7C02&sdata=x",
    ],
)
async def test_without_a_script_the_link_is_put_into_the_form_as_it_was_copied(
    house: GuestHouse, phone: httpx.AsyncClient, how: str
) -> None:
    link = house.links.url("data", house.anna)
    told = how.format(
        link=link,
        token=token_of(link),
        broken=f"{link[:60]}\r\n{link[60:]}",
        quoted=quote(token_of(link) + "?lang=de", safe=""),
        other=house.unsubscribe(house.anna),
        rewritten=quote(link.replace("#", "%23"), safe=""),
    )

    answer = await phone.post("/d", data={"link": told})

    assert answer.status_code == 303


@pytest.mark.parametrize(
    ("behind", "address", "asked"),
    [
        ("?score=9", "/s", "?score=9"),
        ("?score=9&lang=de", "/s", "?lang=de&score=9"),
        ("", "/s?lang=fr", "?lang=fr"),
        ("?lang=de", "/s?lang=fr", "?lang=de"),
        ("?score=%3Cb%3E&lang=xx&to=https://evil.example", "/s?to=//evil.example", ""),
        ("?" + "a=1&" * 40, "/s", ""),
        ("?" + "a=1&" * 300, "/s", ""),
        ("/../../evil", "/s", ""),
        ("?score=²", "/s", ""),
    ],
)
async def test_what_is_asked_behind_the_link_is_asked_of_the_page_and_nothing_else_is(
    house: GuestHouse, phone: httpx.AsyncClient, behind: str, address: str, asked: str
) -> None:
    link = house.survey(house.anna, "asked behind")

    answer = await phone.post(address, data={"link": link + behind})

    assert answer.status_code == 303
    assert answer.headers["location"] == f"/s/{page_name(token_of(link))}{asked}"


@pytest.mark.parametrize("sign", ["%23", "%2523"])
async def test_a_link_whose_sign_was_rewritten_on_the_way_is_led_on_to_what_it_was(
    house: GuestHouse, phone: httpx.AsyncClient, sign: str
) -> None:
    """Programs that guard mailboxes do so; the customer is to come in, and the path itself opens nothing."""
    for path, link in links_of(house).items():
        answer = await phone.get(f"/{path}{sign}{token_of(link)}?lang=de")

        assert answer.status_code == 303
        assert answer.headers["location"] == f"/{path}#{token_of(link)}?lang=de"
        assert "set-cookie" not in answer.headers
        assert "Nováková" not in answer.text
    out = house.way_out(house.anna).removeprefix(ADDRESS)
    led = await phone.get(out.replace("#", sign))
    assert (led.status_code, led.headers["location"]) == (303, out)
    for other in (
        f"/d{sign}a/../b",
        f"/x{sign}a",
        f"/d{sign}",
        f"/d{sign}%0d%0aLocation:x",
    ):
        assert (await phone.get(other)).status_code == 404
    assert (await phone.post(f"/d{sign}x")).status_code == 404


async def test_two_pages_are_open_side_by_side(house: GuestHouse, phone: httpx.AsyncClient) -> None:
    will = await house.known("will")
    other = await house.stays(will, "WILL-1")
    pages = [
        await opened(phone, house.links.url("status", house.anna, house.stay)),
        await opened(phone, house.links.url("status", will, other)),
    ]

    shown = [(await phone.get(page)).text for page in (*pages, pages[0])]

    assert ["MER-2231" in each for each in shown] == [True, False, True]
    assert ["WILL-1" in each for each in shown] == [False, True, False]


async def test_a_browser_carries_along_no_more_than_a_few_open_pages(
    later: GuestHouse, phone: httpx.AsyncClient
) -> None:
    """The one that was opened longest ago is closed; its link opens it again."""
    links = list[str]()
    for n in range(MOST_OPEN + 3):
        later.now = NOW + timedelta(seconds=n)
        links.append(later.survey(later.anna, f"one of many {n}"))
        await opened(phone, links[-1])

    pages = [f"/s/{page_name(token_of(link))}" for link in links]
    still = [(await phone.get(page)).status_code for page in pages]

    assert len(phone.cookies) == MOST_OPEN
    assert still == [403] * 3 + [200] * MOST_OPEN
    assert await opened(phone, links[0]) == pages[0]


# -- how long


@pytest.mark.parametrize("path", UNUSED)
async def test_a_page_is_closed_when_nobody_used_it_for_a_while_and_its_link_opens_it_again(
    later: GuestHouse, phone: httpx.AsyncClient, path: str
) -> None:
    link = links_of(later)[path]
    page = await opened(phone, link)

    later.now = NOW + UNUSED[path] - timedelta(seconds=1)
    in_time = await phone.get(page)
    # httpx goes by the clock of the machine: it would send the cookie for as long as we said.
    later.now += UNUSED[path]
    late = await phone.get(page)
    again = await opened(phone, link)

    assert in_time.status_code == 200
    assert late.status_code == 403
    assert "This page was closed" in late.text
    assert f'action="/{path}"' in late.text
    assert (again, (await phone.get(again)).status_code) == (page, 200)


async def test_who_uses_a_page_keeps_it_open_and_not_for_longer_than_a_day(
    later: GuestHouse, phone: httpx.AsyncClient
) -> None:
    """Somebody waits for a flight, with the page that is loaded again each minute."""
    page = await opened(phone, later.links.url("status", later.anna, later.stay))
    told = list[int]()

    for minutes in range(0, int(LONGEST.total_seconds() // 60) + 1, 30):
        later.now = NOW + timedelta(minutes=minutes)
        told.append((await phone.get(page)).status_code)

    assert told == [200] * 48 + [403]


# -- what is no cookie of ours


async def test_what_opens_one_page_opens_no_other(house: GuestHouse) -> None:
    kept = OpenedLinks(ADDRESS, SECRET, house.clock)
    token = house.links.token("data", house.anna)
    parts = house.links.parts("data", token)
    right = kept.kept(kept.open("d", token, parts))
    ben = house.links.token("data", house.ben)
    other = OpenedLinks(ADDRESS, b"another secret of 32 characters!", house.clock)
    version, body, signature = right.split(".")
    wrong = {
        "the link itself": token,
        "of another customer": kept.kept(kept.open("d", ben, house.links.parts("data", ben))),
        "of another page": kept.kept(kept.open("p", token, parts)),
        "of another installation": other.kept(other.open("d", token, parts)),
        "with another end": f"{version}.{body}.{signature[::-1]}",
        "without an end": f"{version}.{body}.",
        "nothing": "",
    }

    async def asked(cookie: str) -> int:
        transport = httpx.ASGITransport(app=house.app())
        async with httpx.AsyncClient(transport=transport, base_url=ADDRESS) as browser:
            told = {"Cookie": f"{COOKIE}-d-{page_name(token)}={cookie}"}
            return (await browser.get(f"/d/{page_name(token)}", headers=told)).status_code

    assert await asked(right) == 200
    assert {name: await asked(cookie) for name, cookie in wrong.items()} == dict.fromkeys(
        wrong, 403
    )


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}]
)
async def test_no_other_site_opens_a_page_in_a_customers_browser(
    house: GuestHouse, phone: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    for path, link in links_of(house).items():
        answer = await phone.post(f"/{path}", data={"link": link}, headers=headers)

        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers


# -- the one address that has its token, because RFC 8058 wants it there


async def test_what_unsubscribes_shows_nothing_and_opens_nothing_else(
    house: GuestHouse, phone: httpx.AsyncClient
) -> None:
    pages = [await phone.get(house.unsubscribe(house.anna))]
    pages += [
        await phone.post(house.unsubscribe(house.anna), data={"List-Unsubscribe": "One-Click"})
    ]

    for page in pages:
        assert page.status_code == 200
        assert "set-cookie" not in page.headers
        assert not re.search("Nováková|anna@|MER-2231|Brno", page.text)
        assert not re.search(r'name="link" value="[^"]', page.text)
    await ConsentStore(house.pool).give(
        house.anna, "marketing", "email", source="api", proof="as before"
    )


async def test_whoever_reads_that_address_can_bring_no_message_back(
    later: GuestHouse, phone: httpx.AsyncClient
) -> None:
    """Only the page that unsubscribed takes it back, within the hour, and only where messages came until then."""
    zoe = await later.known("zoe")
    url, consents = later.unsubscribe(zoe), ConsentStore(later.pool)

    def undo(page: httpx.Response) -> str:
        found = re.search(r'name="undo" value="([^"]+)"', page.text)
        return found[1] if found else ""

    first = await phone.post(url)
    again = await phone.post(url)
    others = undo(await phone.post(later.unsubscribe(await later.known("yves"))))
    refused = [
        (await phone.post(f"{url}/undo", data={"undo": told})).status_code
        for told in ("", "x", url.rpartition("/")[2], others)
    ]
    later.now = NOW + timedelta(hours=1)
    too_late = await phone.post(f"{url}/undo", data={"undo": undo(first)})

    assert undo(first)
    assert undo(again) == ""
    assert refused == [404] * 4
    assert too_late.status_code == 404
    assert [each.given for each in await consents.of(zoe)] == [False]


async def test_a_break_by_that_address_makes_no_longer_one_shorter(
    house: GuestHouse, phone: httpx.AsyncClient
) -> None:
    xenia = await house.known("xenia")
    url, store = house.unsubscribe(xenia), PreferenceStore(house.pool)

    for days in ("90", "30"):
        await phone.post(f"{url}/less", data={"days": days})

    assert (await store.of(xenia)).paused_until == NOW + timedelta(days=90)


# -- what is written down


async def test_a_process_of_ours_logs_no_address_and_no_link(
    house: GuestHouse, caplog: pytest.LogCaptureFixture
) -> None:
    """As it is served, over a socket, whatever level is logged."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    life = Life()
    caplog.set_level(logging.DEBUG)
    links = {**links_of(house), "u": house.unsubscribe(house.anna)}
    with structlog.testing.capture_logs() as lines:
        serving = asyncio.create_task(
            serve_http(house.app(), "127.0.0.1", port, life, HttpSettings())
        )
        await _listens(port)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as browser:
            for path, link in links.items():
                if path == "u":
                    token = link.rpartition("/")[2]
                    await browser.get(f"/u/{token}")
                else:
                    token = token_of(link)
                    page = await browser.post(f"/{path}", data={"link": link})
                    await browser.get(page.headers["location"])
                    await browser.get(f"/{path}/{token}")
        life.stop.set()
        await serving

    told = f"{lines} {[each.getMessage() for each in caplog.records if not each.name.startswith('http')]}"
    assert "'door': '/d'" in told
    for path, link in links.items():
        token = link.rpartition("/")[2] if path == "u" else token_of(link)
        assert token.split(".")[1] not in told
        assert page_name(token) not in told


async def _listens(port: int) -> None:
    async with asyncio.timeout(60):
        while True:
            with suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0)


def test_every_page_of_a_customer_says_how_long_it_stays_open() -> None:
    about_somebody: set[PageKind] = {"data", "status"}

    assert {UNUSED[PATHS[kind]] for kind in about_somebody} == {timedelta(hours=1)}
    assert max(UNUSED.values()) <= LONGEST == timedelta(days=1)
