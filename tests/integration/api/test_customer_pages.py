"""What all pages of a customer have in common: whom they let in, what they never do, how they speak."""

import json
import re
from datetime import timedelta

import httpx2 as httpx
import pytest

from api.customer_words import LANGUAGES
from api.opened_links import OpeningLinks
from api.reception import Reception
from api.status_events import LiveStatus
from channels.customer_links import PATHS, VALID_DAYS, CustomerLinks, PageKind
from channels.opened_link import OpenedLinks
from stores.consents import ConsentStore
from stores.customer_wishes import Visit, WishStore
from tests.integration.api.guest_house import ADDRESS, NOW, SECRET, GuestHouse, dump
from tests.integration.api.link_browser import opened, token_of
from tests.integration.api.survey_page import Page

HOSTILE = "\"><script>alert(1)</script><img src=x onerror=alert(1)>'&amp;</textarea></title>"
KINDS = tuple(PATHS)


async def test_no_get_of_any_page_changes_anything(
    house: GuestHouse, visitor: httpx.AsyncClient
) -> None:
    """Scanners of mail programs follow every link, with whatever behind it."""
    links = {
        "p": house.links.url("preferences", house.anna),
        "d": house.links.url("data", house.anna),
        "w": house.links.url("status", house.anna, house.stay),
        "t": house.links.url("person", house.anna, house.stay),
        "u": house.unsubscribe(house.anna),
        "s": house.survey(house.anna, "scanned"),
    }
    routes = house.routes(LiveStatus(every_seconds=0.01, longest_seconds=0.02))
    before, walked = await dump(house), set[str]()
    names = {
        path: (await opened(visitor, link)).rpartition("/")[2] if path != "u" else ""
        for path, link in links.items()
    }

    for route in routes:
        kind = route.path.split("/")[1]
        path = route.path.replace("{token}", links[kind].rpartition("/")[2])
        path = path.replace("{page}", names[kind])
        for query in ("", "?lang=de&score=9&days=30&channel=sms&about=hello&sure=yes&done=erasure"):
            for method in ("GET", "HEAD", "OPTIONS"):
                answer = await visitor.request(method, path + query)
                assert answer.status_code < 500
        if "GET" in (route.methods or ()):
            walked.add(route.path)

    assert walked == {
        *("/p/{page}", "/d/{page}", "/w/{page}", "/w/{page}/events", "/t/{page}", "/s/{page}"),
        *("/p", "/d", "/w", "/t", "/s", "/u/{token}"),
    }
    assert await dump(house) == before


def test_a_link_opens_only_the_page_that_it_was_made_for(house: GuestHouse) -> None:
    for kind in KINDS:
        token = token_of(house.links.url(kind, house.anna, house.stay))
        assert house.links.read(kind, token).customer == house.anna
        for other in set(KINDS) - {kind}:
            with pytest.raises(ValueError, match="not made here"):
                house.links.read(other, token)
    survey = token_of(house.survey(house.anna, "one"))
    with pytest.raises(ValueError, match="not made here"):
        house.links.read("data", survey)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_link_cannot_be_guessed_or_turned_into_that_of_another(
    house: GuestHouse, visitor: httpx.AsyncClient, kind: PageKind
) -> None:
    url = house.links.url(kind, house.anna, house.stay)
    version, body, signature = token_of(url).split(".")
    bens = token_of(house.links.url(kind, house.ben, house.stay)).split(".")[1]
    elsewhere = CustomerLinks(ADDRESS, b"another secret of 32 characters!", house.clock)
    forged = [
        f"{version}.{bens}.{signature}",
        f"{version}.{body}.{signature[::-1]}",
        f"{version}.{body}.",
        f"{version}.{body}",
        "x",
        "1..",
        "%00",
        "ü" * 300,
        "a" * 5_000,
        token_of(elsewhere.url(kind, house.anna, house.stay)),
    ]

    for token in forged:
        told = await visitor.post(f"/{PATHS[kind]}", data={"link": token})
        assert told.status_code == 404
        assert "set-cookie" not in told.headers
        assert "Nováková" not in told.text


async def test_a_run_is_shown_to_its_own_customer_only(
    house: GuestHouse, visitor: httpx.AsyncClient
) -> None:
    for entry in (house.stay, 99_999):
        told = await visitor.get(house.links.url("status", house.ben, entry))
        assert told.status_code == 404
        assert "MER-2231" not in told.text
        events = await visitor.get(house.links.url("status", house.ben, entry) + "/events")
        assert events.status_code == 404


@pytest.mark.parametrize("kind", list(VALID_DAYS))
async def test_a_page_about_somebody_is_closed_after_half_a_year(
    house: GuestHouse, visitor: httpx.AsyncClient, kind: PageKind
) -> None:
    links = CustomerLinks(ADDRESS, SECRET, lambda: NOW - timedelta(days=180))
    older = CustomerLinks(ADDRESS, SECRET, lambda: NOW - timedelta(days=181))

    assert (await visitor.get(links.url(kind, house.anna, house.stay))).status_code == 200
    expired = await visitor.get(older.url(kind, house.anna, house.stay))
    assert expired.status_code == 410
    assert "has expired" in expired.text


async def test_one_can_say_no_and_ask_for_a_person_from_the_oldest_mail(
    house: GuestHouse, visitor: httpx.AsyncClient
) -> None:
    long_ago = CustomerLinks(ADDRESS, SECRET, lambda: NOW - timedelta(days=4_000))

    for kind in ("preferences", "person"):
        assert (await visitor.get(long_ago.url(kind, house.anna))).status_code == 200


async def test_no_page_leads_to_one_that_shows_more_of_the_customer(
    house: GuestHouse, visitor: httpx.AsyncClient
) -> None:
    """Newsletters are forwarded: from the way out of one nobody comes to what we hold."""
    for url in (
        house.unsubscribe(house.anna),
        house.survey(house.anna, "leading"),
        house.links.url("preferences", house.anna),
        house.links.url("person", house.anna),
    ):
        page = await visitor.get(url)
        assert page.status_code == 200
        assert not re.search('(href|action)="/[dw]', page.text)
        assert "Nováková" not in page.text


class Merged:
    """Anna has become Ben."""

    def __init__(self, house: GuestHouse) -> None:
        self._house, self._visits = house, WishStore(house.pool)

    async def visit(self, customer: str) -> Visit | None:
        return await self._visits.visit(
            self._house.ben if customer == self._house.anna else customer
        )


async def test_the_links_of_a_customer_who_was_merged_lead_to_who_they_are_now(
    house: GuestHouse,
) -> None:
    opening = OpeningLinks(OpenedLinks(ADDRESS, SECRET, house.clock))
    reception = Reception(house.links, Merged(house), opening)

    assert await reception.whoever(house.anna) == house.ben


async def every_page(house: GuestHouse, visitor: httpx.AsyncClient) -> list[httpx.Response]:
    return [
        await visitor.get(url)
        for url in (
            house.links.url("preferences", house.anna),
            house.links.url("data", house.anna),
            house.links.url("status", house.anna, house.stay),
            house.links.url("person", house.anna),
            house.unsubscribe(house.anna),
            house.survey(house.anna, "looked at"),
            house.links.url("data", house.anna) + "x",
        )
    ]


async def test_no_page_is_kept_found_framed_or_told_elsewhere(
    house: GuestHouse, visitor: httpx.AsyncClient
) -> None:
    for page in await every_page(house, visitor):
        rules = page.headers["content-security-policy"].split("; ")
        assert {"default-src 'none'", "frame-ancestors 'none'", "form-action 'self'"} <= set(rules)
        assert "unsafe" not in page.headers["content-security-policy"]
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["x-robots-tag"] == "noindex"
        assert page.headers["referrer-policy"] == "no-referrer"
        assert "://" not in page.text


async def test_every_page_of_a_customer_has_a_way_to_a_person(
    house: GuestHouse, visitor: httpx.AsyncClient
) -> None:
    """But for the one that unsubscribes: what stands in its address is to open nothing else."""
    pages = (await every_page(house, visitor))[:-1]

    ways = [
        page for page in pages if 'action="/t"' in page.text or "What is it about?" in page.text
    ]
    others = [page for page in pages if page not in ways]
    assert [page.url.path[:3] for page in others] == ["/u/"]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_page_speaks_the_language_that_is_asked_for(
    house: GuestHouse, visitor: httpx.AsyncClient, language: str
) -> None:
    said = {"en": "Talk to a person", "de": "Mit einem Menschen", "fr": "Parler à quelqu’un"}
    out = {"en": "Unsubscribe", "de": "Abmelden", "fr": "Se désabonner"}
    for url in (
        house.links.url("preferences", house.anna),
        house.links.url("data", house.anna),
        house.links.url("status", house.anna, house.stay),
        house.links.url("person", house.anna),
        house.unsubscribe(house.anna),
        house.survey(house.anna, "in a language"),
    ):
        by_browser = await visitor.get(url, headers={"Accept-Language": f"xx, {language}-CH;q=0.7"})
        by_link = await visitor.get(f"{url}?lang={language}", headers={"Accept-Language": "cs"})
        for page in (by_browser, by_link):
            assert f'<html lang="{language}">' in page.text
            assert (out if "/u/" in url else said)[language] in page.text


async def test_the_language_that_a_customer_chose_goes_before_that_of_their_browser(
    house: GuestHouse, visitor: httpx.AsyncClient
) -> None:
    dora = await house.known("dora")
    url = house.links.url("preferences", dora)

    saved = await visitor.post(url, data={"locale": "fr"}, headers={"Accept-Language": "de"})
    later = await visitor.get(url, headers={"Accept-Language": "de"})

    assert saved.status_code == 200
    assert '<html lang="fr">' in later.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
    ],
)
async def test_what_another_site_has_a_browser_send_does_nothing(
    house: GuestHouse, visitor: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    before = await dump(house)

    for url, form in (
        (house.links.url("preferences", house.anna), {"locale": "fr"}),
        (house.links.url("person", house.anna), {"about": "x", "form": "forged"}),
        (house.links.url("data", house.anna) + "/correct", {"trait.city": "Praha"}),
        (house.links.url("data", house.anna) + "/erase", {"sure": "yes"}),
        (house.links.url("data", house.anna) + "/export", {}),
        (house.unsubscribe(house.anna), {}),
        (house.unsubscribe(house.anna) + "/undo", {}),
        (house.unsubscribe(house.anna) + "/less", {"days": "30"}),
        (house.survey(house.anna, "forged"), {"score": "9"}),
    ):
        assert (await visitor.post(url, data=form, headers=headers)).status_code == 403

    assert await dump(house) == before


@pytest.mark.parametrize(
    "headers",
    [{}, {"Sec-Fetch-Site": "same-origin"}, {"Origin": "null"}, {"Origin": ADDRESS}],
)
async def test_our_own_page_and_programs_may_send(
    house: GuestHouse, visitor: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    sent = await visitor.post(
        house.links.url("data", house.ben) + "/export", data={}, headers=headers
    )

    assert sent.status_code == 200


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"x" * 70_000, 413),
        (b"&".join(b"a=1" for _ in range(2_000)), 400),
        (b"\xff\xfe=\x00&about=%00%01", 400),
        (b"", 400),
    ],
)
async def test_a_form_that_cannot_be_read_is_refused_in_words(
    house: GuestHouse, visitor: httpx.AsyncClient, content: bytes, status: int
) -> None:
    told = await visitor.post(house.links.url("person", house.ben), content=content)

    assert told.status_code == status
    assert "<h1>" in told.text


async def test_hostile_words_are_words_wherever_they_stand(
    house: GuestHouse, visitor: httpx.AsyncClient
) -> None:
    eve = await house.known(f"eve {HOSTILE}")
    bad = {HOSTILE: HOSTILE, "first_name": HOSTILE, "city": "a\u202eb\x07", "zone": "UTC"}
    await house.run(
        "update customers set traits = %s::jsonb where customer = %s", json.dumps(bad), eve
    )
    await house.stays(eve, HOSTILE)
    entry = (await house.rows("select entry from runs where customer = %s", eve))[0]["entry"]
    await house.run("update trace set why = %s where entry = %s", f"entered by {HOSTILE}", entry)
    await house.run("update deliveries set message = %s where entry = %s", HOSTILE, entry)
    await ConsentStore(house.pool).give(eve, "marketing", HOSTILE, source=HOSTILE, proof=HOSTILE)
    forms = {"about": HOSTILE, "reach": HOSTILE, "form": HOSTILE}
    await visitor.post(house.links.url("person", eve), data=forms)

    for page in (
        await visitor.get(house.links.url("data", eve)),
        await visitor.get(house.links.url("status", eve, entry)),
        await visitor.post(house.links.url("person", eve), data={**forms, "about": ""}),
        await visitor.post(house.links.url("preferences", eve), data={"quiet_from": HOSTILE}),
        await visitor.post(house.links.url("data", eve) + "/correct", data={"trait.zone": HOSTILE}),
        await visitor.get(house.links.url("data", eve) + f"?lang={HOSTILE}&done={HOSTILE}"),
    ):
        assert page.status_code in (200, 400)
        assert not {"img", "iframe"} & set(Page(page.text).tags)
        assert "alert(1)<" not in page.text
