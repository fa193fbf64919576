"""Whoever runs journeys sees what was told, what came of it, and who is behind each number."""

import re
from datetime import datetime, timedelta

import httpx2 as httpx
import pytest
from fastapi import APIRouter

from api.app import create_app
from console.control_deliveries import DeliveriesPage
from console.control_door import for_control
from console.inbox_door import InboxDoor
from stores.delivery_looks import DeliveryLooks, TooMuchToReadError, WhichDeliveries
from tests.integration.control.conftest import Control
from tests.integration.control.control_house import THEN
from tests.integration.inbox.staff_house import HOSTILE, Browser, said
from workers.inbox import staff_inbox

ROW = """
insert into deliveries (key, entry, n, journey, customer, message, purpose, channel, state, reason, run_time, asked_at)
values (%(key)s, 1, %(n)s, 'tea', 'anna', %(message)s, 'service', %(channel)s, %(state)s, %(reason)s, %(at)s, %(at)s)
"""
HEARD = """
insert into delivery_feedback (event_id, delivery, customer, channel, kind, detail, at)
values (%(event)s, %(key)s, 'anna', 'email', %(kind)s, %(detail)s, %(at)s)
"""
MANY = """
insert into deliveries (key, entry, n, journey, customer, message, purpose, channel, state, run_time, asked_at)
select 'm' || i, 1 + i / 50, i, 'tea', 'c' || i, 'many', 'service', 'sms', 'accepted', %(at)s, %(at)s
  from generate_series(1, %(many)s) i
"""
SOON = THEN - timedelta(minutes=10)


async def told(
    control: Control, n: int, channel: str | None, state: str, reason: str = "", message: str = "late",
    at: datetime = SOON,
) -> None:  # fmt: skip
    async with control.house.pool.connection() as connection:
        await connection.execute(
            ROW,
            {"key": f"k{n}", "n": n, "message": message, "channel": channel, "state": state, "reason": reason,
             "at": at},
        )  # fmt: skip


async def heard(control: Control, n: int, kind: str, detail: str = "") -> None:
    async with control.house.pool.connection() as connection:
        await connection.execute(
            HEARD,
            {"event": f"{n}{kind}{detail}", "key": f"k{n}", "kind": kind, "detail": detail, "at": THEN},
        )  # fmt: skip


def behind(page: httpx.Response, **asked: str) -> tuple[str, int]:
    """The address behind a number of a page, and the number."""
    for link, words in re.findall(
        r'<a[^>]* href="(/control/deliveries/list\?[^"]+)">(.*?)</a>', page.text
    ):
        address = httpx.URL(link.replace("&amp;", "&"))
        if {k: v for k, v in address.params.items() if k != "span"} == asked:
            return str(address), int(re.sub(r"<[^>]+>|[!, ]", "", words))
    raise AssertionError((asked, said(page)))


async def test_each_number_leads_to_as_many_messages(control: Control) -> None:
    for n in range(3):
        await told(control, n, "push", "refused", "not_taken")
    await told(control, 10, "push", "accepted")
    await told(control, 11, None, "refused", "held_out")
    await told(control, 12, "sms", "refused", "held_out", message="sorry")
    await told(control, 13, "push", "unknown", message=HOSTILE)
    await told(control, 14, "sms", "deferred", "quiet_until")
    await told(control, 15, "sms", "intended")

    page = await control.lead.goes("/control/deliveries?span=hour")

    assert page.status_code == 200
    assert "<script>document" not in page.text
    for asked, many in (
        ({"what": "asked"}, 9),
        ({"what": "failed"}, 3),
        ({"what": "sent"}, 1),
        ({"what": "not_sent"}, 2),
        ({"what": "waiting"}, 2),
        ({"what": "unknown"}, 1),
        ({"what": "failed", "channel": "push"}, 3),
        ({"what": "failed", "channel": "push", "message": "late"}, 3),
        ({"what": "unknown", "channel": "push", "message": HOSTILE}, 1),
        ({"what": "not_sent", "channel": ""}, 1),
        ({"what": "not_sent", "reason": "held_out"}, 2),
        ({"what": "failed", "reason": "not_taken"}, 3),
        ({"what": "waiting", "reason": ""}, 1),
    ):
        address, shown = behind(page, **asked)
        listed = await control.lead.goes(address)
        assert (shown, listed.text.count('<th scope="row">')) == (many, many), asked
        assert "<script>document" not in listed.text


async def test_the_first_page_leads_to_what_failed_in_a_journey(control: Control) -> None:
    await told(control, 1, "email", "refused", "address_refused")
    await told(control, 2, "email", "refused", "address_refused")
    async with control.house.pool.connection() as connection:
        await connection.execute("update deliveries set journey = 'coffee' where key = 'k2'")
        await connection.execute(
            "insert into journey_figures (journey, span, at, version, address, kind, way, n, milliseconds)"
            " values ('tea', 1, extract(epoch from %s) / 3600, %s, 'tasting/2', 'failed', 'address_refused', 1, 0)",
            [SOON, control.house.version],
        )

    page = await control.lead.goes("/control")
    [link] = {
        each
        for each in re.findall(r'href="([^"]+)"', page.text)
        if "what=failed&amp;journey=tea" in each
    }
    listed = await control.lead.goes(link.replace("&amp;", "&"))

    assert listed.text.count('<th scope="row">') == 1
    assert "Of the journey tea." in said(listed)
    assert "! Failed : address refused" in said(listed)
    assert "journey=tea" in next(
        each for each in re.findall(r'href="([^"]+)"', listed.text) if "span=week" in each
    )


async def test_reasons_are_told_in_words(control: Control) -> None:
    await told(control, 1, "email", "refused", "held_out")
    await told(control, 2, "email", "refused", "address_refused")

    page = said(await control.lead.goes("/control/deliveries?span=hour"))
    listed = await control.lead.goes("/control/deliveries/list?span=hour&what=failed")

    assert "held out, to measure what telling does 1 100.0 %" in page
    assert "address refused ! 1 100.0 %" in page
    assert "! Failed : address refused" in said(listed)
    assert 'href="/control/customer/anna"' in listed.text
    assert 'href="/control/message/late"' in listed.text
    assert 'href="/control/journey/tea"' in listed.text


async def test_what_was_reported_is_what_people_did_and_not_machines(control: Control) -> None:
    for n in (1, 2, 3):
        await told(control, n, "email", "accepted")
        await heard(control, n, "delivered")
    await heard(control, 1, "opened", "by a machine: Apple")
    await heard(control, 2, "opened")
    await heard(control, 2, "opened", "again")
    await heard(control, 3, "bounced")

    page = await control.lead.goes("/control/deliveries?span=hour")

    email = {"channel": "email", "message": "late"}
    assert behind(page, what="delivered", **email)[1] == 3
    address, opened = behind(page, what="opened", **email)
    assert opened == 1
    assert behind(page, what="bounced")[1] == 1
    listed = await control.lead.goes(address)
    assert listed.text.count('<th scope="row">') == 1
    assert "delivered, opened" in said(listed)


async def test_where_nothing_was_reported_nothing_is_said(control: Control) -> None:
    await told(control, 1, "sms", "accepted")
    page = said(await control.lead.goes("/control/deliveries?span=hour"))
    assert "Delivered – Bounced –" in page


async def test_a_message_counts_in_the_stretch_in_which_it_was_asked_for(control: Control) -> None:
    await told(control, 1, "fax", "accepted", at=THEN - timedelta(days=2))

    day = await control.lead.goes("/control/deliveries?span=day")
    week = await control.lead.goes("/control/deliveries?span=week")

    assert "fax" not in said(day)
    assert behind(week, what="sent", channel="fax")[1] == 1
    assert "By the day of UTC" in said(week)


async def test_one_leafs_through_all_of_them_and_meets_each_once(control: Control) -> None:
    async with control.house.pool.connection() as connection:
        await connection.execute(MANY, {"at": SOON, "many": 250})
    address, met = "/control/deliveries/list?span=hour&what=sent&message=many", list[str]()
    pages = 0
    while address:
        page = await control.lead.goes(address)
        met += re.findall(r'<th scope="row"><a href="/control/customer/(c\d+)"', page.text)
        older = re.search(r'class="button" href="([^"]+)">Those before', page.text)
        address = older[1].replace("&amp;", "&") if older else ""
        pages += 1

    assert pages == 3
    assert sorted(met) == sorted(f"c{n}" for n in range(1, 251))


async def test_beyond_the_bound_the_newest_are_counted_and_it_is_said(control: Control) -> None:
    for n in range(6):
        await told(control, n, "email", "accepted", at=THEN - timedelta(minutes=30 + n))
        await heard(control, n, "delivered")
    house = control.house
    door = InboxDoor(house.sign_ins, https=False)
    looks = DeliveryLooks(pool=house.pool, most_counted=5, most_reported=2)
    small = DeliveriesPage(door=door, deliveries=looks, run_now=lambda: THEN)
    router = APIRouter(include_in_schema=False)
    router.add_route("/control/deliveries", for_control(door, small.show), methods=["GET"])
    inbox = staff_inbox(
        house.pool, lambda: None, house.told, stopping=house.stopping, now=house.clock
    )
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=create_app(inbox, router)), base_url="http://clew.test"
    ) as client:
        await house.signed_in(client, "lena")
        page = await Browser(client).goes("/control/deliveries?span=hour")

    assert behind(page, what="asked")[1] == 5
    assert behind(page, what="delivered")[1] == 2
    oldest, unheard = THEN - timedelta(minutes=34), THEN - timedelta(minutes=31)
    assert f"these are the newest 5, since {oldest:%Y-%m-%d %H:%M} UTC" in said(page)
    assert f"is counted only of those since {unheard:%Y-%m-%d %H:%M} UTC" in said(page)


async def test_a_look_that_takes_too_long_is_ended_and_says_so(control: Control) -> None:
    looks = DeliveryLooks(pool=control.house.pool, patience=timedelta(milliseconds=1))
    async with control.house.pool.connection() as connection:
        await connection.execute(MANY, {"at": SOON, "many": 20000})

    with pytest.raises(TooMuchToReadError, match="A shorter stretch of time can be"):
        await looks.counted(THEN - timedelta(days=1), THEN, timedelta(hours=1))
    with pytest.raises(TooMuchToReadError):
        await looks.listed(
            WhichDeliveries(
                since=THEN - timedelta(days=1), until=THEN, message="nothing of this name"
            )
        )


async def test_the_ledger_is_read_from_its_index(control: Control) -> None:
    async with control.house.pool.connection() as connection:
        await connection.execute("set local enable_seqscan = off")
        cursor = await connection.execute(
            "explain select key from deliveries where asked_at >= now()"
            " order by asked_at desc, entry desc, n desc limit 9"
        )
        plan = " ".join(next(iter(row.values())) for row in await cursor.fetchall())
    assert "Index Scan Backward using deliveries_by_asking" in plan
    assert "Sort" not in plan


@pytest.mark.parametrize(
    "asked",
    [
        "/control/deliveries?span=year",
        "/control/deliveries/list?what=lost",
        "/control/deliveries/list?span=%00",
    ],
)
async def test_what_cannot_be_asked_is_refused_with_what_can(control: Control, asked: str) -> None:
    page = await control.lead.goes(asked)
    assert page.status_code == 404
    assert "There are: " in said(page)


@pytest.mark.parametrize(
    "before", ["x", "2026-01-01", "2026-01-01,a,b", "2026-01-01,1," + "9" * 40, "%00,1,1"]
)
async def test_a_place_to_leaf_from_that_is_none_is_the_beginning(
    control: Control, before: str
) -> None:
    page = await control.lead.goes(
        f"/control/deliveries/list?span=hour&channel=%00&before={before}"
    )
    assert page.status_code == 200


async def test_agents_are_told_whose_page_it_is(control: Control) -> None:
    for path in ("/control/deliveries", "/control/deliveries/list"):
        refused = await control.agent.goes(path)
        assert refused.status_code == 403
        assert "This is for" in said(refused)
