"""Where an order stands, in its customer's words, as it changes."""

import json

import httpx2 as httpx
from starlette.requests import Request

from api.status_events import LiveStatus
from channels.opened_link import OpenedLinks, page_name
from tests.integration.api.guest_house import ADDRESS, NOW, SECRET, GuestHouse, words
from tests.integration.api.link_browser import LinkBrowser


async def test_the_status_page_tells_the_story_in_the_customers_words(
    house: GuestHouse, visitor: httpx.AsyncClient
) -> None:
    told = words(await visitor.get(house.links.url("status", house.anna, house.stay) + "?lang=en"))

    for said in (
        "<h1>We prepare your room</h1>",
        "Reference: MER-2231",
        "This is with a person",
        "You hear from them by 14:00\u00a0today.",
        "A cot beside your bed",
        "by Sunday, 29\u00a0November at\u00a011:00",
        "A confirmation with everything in it",
        ">kept<",
        ">late<",
        "Your room is booked",
        "E-mail: Your room is yours",
        "Europe/Prague",
    ):
        assert said in told
    for ours in ("preparing", "room-booked", "A cot is wanted", "entered by"):
        assert ours not in told


async def test_a_finished_run_says_so_and_is_no_longer_listened_to(
    house: GuestHouse, visitor: httpx.AsyncClient
) -> None:
    uma = await house.known("uma")
    entry = await house.stays(uma, "U-1")
    await house.run(
        "update runs set state = 'finished', stage = null, finished_at = %s where entry = %s",
        *(NOW, entry),
    )
    url = house.links.url("status", uma, entry)

    page = await visitor.get(url)
    events = await visitor.get(url + "/events")

    assert "<h1>This is finished</h1>" in page.text
    assert "<script" not in page.text
    assert '"ended":"yes"' in events.text


async def test_what_changes_is_told_to_who_listens(
    house: GuestHouse, visitor: httpx.AsyncClient
) -> None:
    vera = await house.known("vera")
    entry = await house.stays(vera, "V-1")
    live = LiveStatus(every_seconds=0.01, longest_seconds=60)
    [endpoint] = [
        route.endpoint for route in house.routes(live) if route.path == "/w/{page}/events"
    ]
    response = await endpoint(_request(house, vera, entry))
    parts = response.body_iterator

    async def heard() -> dict[str, str]:
        async for part in parts:
            if part.startswith(b"event: standing"):
                return json.loads(part.partition(b"data: ")[2])
        raise AssertionError

    first = await heard()
    await house.traced(entry, 90, NOW, "booked", "stage", "came to booked")
    await house.run("update runs set stage = 'booked', sequence = 90 where entry = %s", entry)
    second = await heard()
    await house.sent(entry, 91, vera, "room-booked", NOW)
    third = await heard()
    listening = live.listening
    live.stopping.set()
    rest = [part async for part in parts]

    assert first["title"] == "We prepare your room"
    assert second["title"] == "Your room is booked"
    assert third["middle"].count("Your room is yours") == 2
    assert listening == 1
    assert live.listening == 0
    assert all(part == b":\n\n" for part in rest)


async def test_more_listeners_than_there_is_room_for_come_again_later(house: GuestHouse) -> None:
    client = httpx.ASGITransport(app=house.app(LiveStatus(most=0)))
    async with LinkBrowser(transport=client, base_url=ADDRESS) as browser:
        url = house.links.url("status", house.anna, house.stay)

        events, page = await browser.get(url + "/events"), await browser.get(url)

    assert events.status_code == 503
    assert events.headers["retry-after"]
    assert page.status_code == 200


def _request(house: GuestHouse, customer: str, entry: int) -> Request:
    """As a browser asks that opened the link."""
    token = house.links.token("status", customer, entry)
    kept = OpenedLinks(ADDRESS, SECRET, house.clock)
    cookie = kept.kept(kept.open("w", token, house.links.parts("status", token)))
    name = f"__Host-clew-page-w-{page_name(token)}"
    return Request(
        {
            "type": "http",
            "method": "GET",
            "path": f"/w/{page_name(token)}/events",
            "headers": [(b"cookie", f"{name}={cookie}".encode())],
            "query_string": b"",
            "path_params": {"page": page_name(token)},
            "server": ("stay.example", 443),
            "scheme": "https",
        }
    )
