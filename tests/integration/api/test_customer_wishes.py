"""A customer says how they want to be reached, wants less, or nothing, or a person."""

import asyncio
import re
from datetime import time, timedelta

import httpx2 as httpx
import pytest

from channels.opened_link import page_name
from stores.case_decisions import CaseAlreadyDecidedError
from stores.case_desk import CaseDesk
from stores.consents import ConsentStore
from stores.customer_wishes import WishStore
from stores.preferences import PreferenceStore
from tests.integration.api.guest_house import NOW, GuestHouse
from tests.integration.api.link_browser import token_of
from tests.integration.api.survey_page import Page


async def test_wishes_are_kept_with_a_proof_of_each_yes_and_no(
    house: GuestHouse, visitor: httpx.AsyncClient
) -> None:
    fay = await house.known("fay")
    url = house.links.url("preferences", fay)
    form = {
        "channel": ["sms"],
        "topic": ["events"],
        "preferred": "sms",
        "quiet_from": "22:00",
        "quiet_to": "07:30",
        "pause": "30",
        "locale": "de",
    }

    saved = await visitor.post(f"{url}?lang=en", data=form, headers={"User-Agent": "Phone/1"})

    kept = await PreferenceStore(house.pool).of(fay)
    said = {each.channel: each for each in await ConsentStore(house.pool).of(fay)}
    name = page_name(token_of(url))
    assert "Saved" in saved.text
    assert kept.preferred_channel == "sms"
    assert kept.topics_off == {"offers"}
    assert (kept.quiet_from, kept.quiet_to) == (time(22), time(7, 30))
    assert kept.paused_until == NOW + timedelta(days=30)
    assert kept.locale == "de"
    assert {channel: each.given for channel, each in said.items()} == {"email": False, "sms": True}
    assert {each.proof for each in said.values()} == {f"preferences page {name} Phone/1"}


async def test_what_was_left_as_it_stood_is_no_new_yes(
    house: GuestHouse, visitor: httpx.AsyncClient
) -> None:
    gus = await house.known("gus")
    url = house.links.url("preferences", gus)

    for _ in range(2):
        await visitor.post(url, data={"channel": ["email"], "topic": ["offers", "events"]})

    assert await ConsentStore(house.pool).of(gus) == []


async def test_a_yes_on_the_page_outweighs_an_older_no_to_every_channel(
    house: GuestHouse, visitor: httpx.AsyncClient
) -> None:
    hal = await house.known("hal")
    consents = ConsentStore(house.pool)
    await consents.give(hal, "marketing", "email", source="api", proof="x")
    await consents.withdraw(hal, "marketing", "", source="staff", proof="x")

    await visitor.post(house.links.url("preferences", hal), data={"channel": ["email"]})

    wishes = await WishStore(house.pool).wishes(hal)
    assert wishes.wants("email")
    assert not wishes.wants("sms")


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"quiet_from": "22:00"}, "need both times"),
        ({"quiet_to": "22:00"}, "need both times"),
        ({"quiet_from": "22:00", "quiet_to": "22:00"}, "same time"),
        ({"quiet_from": "25:00", "quiet_to": "22:00"}, "as 22:00"),
        ({"quiet_from": "soon", "quiet_to": "22:00"}, "as 22:00"),
    ],
)
async def test_quiet_hours_that_cannot_be_come_back_with_what_was_filled_in(
    house: GuestHouse, visitor: httpx.AsyncClient, form: dict[str, str], said: str
) -> None:
    ida = await house.known("ida")

    told = await visitor.post(
        house.links.url("preferences", ida), data={**form, "preferred": "sms", "pause": "7"}
    )

    assert told.status_code == 400
    assert said in Page(told.text).alert
    assert 'value="sms" selected' in told.text
    assert 'value="7" selected' in told.text
    assert (await PreferenceStore(house.pool).of(ida)).preferred_channel is None


async def test_a_pause_stays_until_it_is_ended(
    house: GuestHouse, visitor: httpx.AsyncClient
) -> None:
    jon = await house.known("jon")
    url, store = house.links.url("preferences", jon), PreferenceStore(house.pool)

    await visitor.post(url, data={"pause": "7"})
    shown = await visitor.get(url)
    await visitor.post(url, data={"pause": "keep"})
    kept = (await store.of(jon)).paused_until
    await visitor.post(url, data={"pause": ""})

    assert "until 4 December 2026" in shown.text
    assert kept == NOW + timedelta(days=7)
    assert (await store.of(jon)).paused_until is None


async def test_unsubscribing_can_be_undone_and_both_are_kept(
    house: GuestHouse, visitor: httpx.AsyncClient
) -> None:
    kim = await house.known("kim")
    url = house.unsubscribe(kim)

    done = await visitor.post(url)
    [told] = re.findall(r'name="undo" value="([^"]+)"', done.text)
    undone = await visitor.post(f"{url}/undo?lang=en", data={"undo": told})

    rows = await house.rows("select given, proof from consents where customer = %s order by 1", kim)
    assert "/undo" in done.text
    assert "as before" in undone.text
    assert [(row["given"], row["proof"].split()[0]) for row in rows] == [
        (False, "page"),
        (True, "undo"),
    ]


async def test_a_break_instead_of_never_again(
    house: GuestHouse, visitor: httpx.AsyncClient
) -> None:
    lea = await house.known("lea")
    url = house.unsubscribe(lea)

    asked = await visitor.get(url)
    paused = await visitor.post(f"{url}/less?lang=de", data={"days": "30"})
    wrong = await visitor.post(f"{url}/less", data={"days": "100000"})

    assert "/less" in asked.text
    assert "27. Dezember 2026" in paused.text
    assert wrong.status_code == 200
    assert (await PreferenceStore(house.pool).of(lea)).paused_until == NOW + timedelta(days=30)
    assert await ConsentStore(house.pool).of(lea) == []


async def test_one_click_of_a_mail_program_is_taken_from_wherever_it_comes(
    house: GuestHouse, visitor: httpx.AsyncClient
) -> None:
    mia = await house.known("mia")

    told = await visitor.post(
        house.unsubscribe(mia),
        data={"List-Unsubscribe": "One-Click"},
        headers={"Sec-Fetch-Site": "cross-site", "Origin": "https://mail.example"},
    )

    assert told.status_code == 200
    assert [each.source for each in await ConsentStore(house.pool).of(mia)] == ["one-click"]


async def test_asking_for_a_person_opens_one_case_however_often_it_is_sent(
    house: GuestHouse, visitor: httpx.AsyncClient
) -> None:
    ned = await house.known("ned")
    entry = await house.stays(ned, "N-1")
    url = house.links.url("person", ned, entry)
    form = {"about": "My bill\r\nis wrong", "reach": "+420 123", "form": "once"}

    sent = await asyncio.gather(*(visitor.post(url, data=form) for _ in range(4)))

    cases = [case for case in await CaseDesk(house.pool).cases(customer=ned) if not case.of_a_run]
    touchpoints = await house.rows(
        "select event, properties from touchpoints where customer = %s", ned
    )
    assert {page.status_code for page in sent} == {200}
    assert "by 15:00\u00a0today" in sent[0].text
    assert len(cases) == 1
    assert cases[0].brief.startswith("My bill\nis wrong\n\nHow to reach them: +420 123")
    assert cases[0].queue == "customers"
    assert cases[0].short_name.startswith("0:")
    assert [row["event"] for row in touchpoints] == ["Person Wanted"]
    assert touchpoints[0]["properties"]["about"] == "My bill\nis wrong"
    assert touchpoints[0]["properties"]["case"] == cases[0].case
    assert "stay" in touchpoints[0]["properties"]["run"]


async def test_the_form_of_one_customer_is_not_that_of_another(
    house: GuestHouse, visitor: httpx.AsyncClient
) -> None:
    ola, pia = await house.known("ola"), await house.known("pia")

    for customer in (ola, pia):
        form = {"about": "Hello", "form": "same"}
        await visitor.post(house.links.url("person", customer), data=form)

    for customer in (ola, pia):
        assert len(await CaseDesk(house.pool).cases(customer=customer)) == 1


async def test_staff_are_asked_so_often_a_day_and_no_more(
    house: GuestHouse, visitor: httpx.AsyncClient
) -> None:
    quin = await house.known("quin")
    url = house.links.url("person", quin)

    told = [
        (await visitor.post(url, data={"about": "Hello", "form": f"{n}"})).status_code
        for n in range(7)
    ]
    again = await visitor.post(url, data={"about": "Hello", "form": "0"})

    assert told == [200] * 5 + [429] * 2
    assert again.status_code == 200


async def test_the_answer_to_such_a_case_is_kept_and_disturbs_no_run(
    house: GuestHouse, visitor: httpx.AsyncClient
) -> None:
    rob = await house.known("rob")
    await visitor.post(house.links.url("person", rob), data={"about": "Hello", "form": "1"})
    rung = list[str]()
    store = CaseDesk(house.pool, lambda: rung.append("rung"))
    (case,) = await store.cases(customer=rob)
    waiting = await house.rows("select count(*) as n from outbox")

    named = await store.named(case.short_name)
    decided = await store.decide(case.case, "answered", {}, by="lea")
    with pytest.raises(CaseAlreadyDecidedError):
        await store.decide(case.case, "answered", {}, by="tom")

    assert named == case
    assert decided.state == "resolved"
    assert rung == []
    assert await house.rows("select count(*) as n from outbox") == waiting
    told = await house.rows("select event from touchpoints where customer = %s order by 1", rob)
    assert [row["event"] for row in told] == ["Case Decided", "Person Wanted"]
