"""A message is seen as a customer would read it, and what nobody gave is named."""

import re
from urllib.parse import quote, urlsplit

import httpx2 as httpx
import pytest

from channels.message_bundle import bundle
from stores.messages import MessageStore
from stores.preferences import PreferenceStore
from tests.integration.control.conftest import Control
from tests.integration.inbox.staff_house import HOSTILE, said

LATE = bundle(
    {
        "late.md": '---\nsubject: "Late, {{ customer.first_name }}"\n---\nWe leave at {{ run.gate }}.\n',
        "late.de.md": '---\nsubject: "Spät, {{ customer.first_name }}"\nlocale: de\n---\nWir sind an {{ run.gate }}.\n',
        "late.upset.md": "---\nsubject: Sorry\ntone: upset\n---\nWe are sorry. We leave at {{ run.gate }}.\n",
        "late.short.md": "---\nchannel: sms\n---\nLate. Gate {{ run.gate }}.\n",
    }
)
PRICED = """---
subject: "Your order"
---
You pay {{ run.total | money: "EUR" }}, it comes {{ run.comes | date: "%d.%m.%Y" }}.
{% for each in run.items %}{{ each.name }}{% endfor %}
"""


async def published(control: Control, source: str = LATE, name: str = "late") -> None:
    await MessageStore(control.house.pool).publish(name, source)


async def deliveries(control: Control) -> list[dict[str, object]]:
    return await control.house.rows("select count(*) as n, max(settled_at) as at from deliveries")


def frame_of(page: httpx.Response) -> str:
    """The address of the mail that the page shows in a frame."""
    found = re.search(r'<iframe class="desk" sandbox src="([^"]+)"', page.text)
    assert found is not None, said(page)
    return found[1].replace("&amp;", "&")


async def test_what_is_missing_is_named_and_what_is_typed_is_read(control: Control) -> None:
    await published(control)
    page = await control.lead.goes("/control/message/late")
    assert page.status_code == 200
    assert "customer.first_name run.gate" in said(page)
    assert "‹run.gate›" in said(page)
    assert "frame-src 'self'" in page.headers["content-security-policy"]

    page = await control.lead.sends("/control/message/late", values="run: {gate: B7}", q="")

    assert page.status_code == 200
    assert "We leave at B7." in said(page)
    assert "run.gate" not in said(page).partition("As it reads")[0]
    assert "B7" not in str(page.url)
    frame = await control.lead.client.get(frame_of(page))
    assert "We leave at B7." in frame.text


async def test_each_file_is_shown_for_whom_it_is_written(control: Control) -> None:
    await published(control)

    pages = {
        asked: said(await control.lead.goes(f"/control/message/late?{asked}"))
        for asked in ("locale=de", "tone=upset", "channel=sms", "channel=push&locale=de")
    }

    assert "Wir sind an" in pages["locale=de"]
    assert "We are sorry." in pages["tone=upset"]
    assert "Late. Gate ‹run.gate›." in pages["channel=sms"]
    assert "1 text message" in pages["channel=sms"]
    assert "Wir sind an" in pages["channel=push&locale=de"]
    for asked, file in {"locale=de": "late.de.md", "channel=sms": "late.short.md"}.items():
        assert re.search(rf"File {re.escape(file)}", pages[asked])


async def test_a_customer_reads_it_in_their_language_and_with_their_name(control: Control) -> None:
    customer = await control.house.known("anna", first_name="Anna", email="anna@shop.example")
    async with control.house.pool.connection() as connection:
        await connection.execute(
            "insert into preferences (customer, locale) values (%s, 'de')", [customer]
        )
    assert (await PreferenceStore(control.house.pool).of(customer)).locale == "de"
    await published(control)
    before = await deliveries(control)

    await control.lead.goes("/control/message/late")
    page = await control.lead.sends("/control/message/late", values="", q="anna")

    assert "Spät, Anna" in said(page)
    assert f"customer={customer}" in str(page.url)
    assert "anna@shop.example" not in str(page.url)
    assert "theirs (de)" in said(page)
    assert await deliveries(control) == before


async def test_a_customer_by_mail_address_stands_in_no_address(control: Control) -> None:
    async with control.house.pool.connection() as connection:
        customer = await control.house.customers.resolve(
            connection, [("email", "anna@shop.example")]
        )
    await published(control)
    await control.lead.goes("/control/message/late")

    page = await control.lead.sends("/control/message/late", values="", q="anna@shop.example")

    assert page.status_code == 200
    assert customer in said(page)
    assert "anna%40" not in str(page.url)
    assert "anna@" not in str(page.url)
    assert "anna@" not in page.text


async def test_nobody_of_that_name_is_said_and_what_was_typed_stays(control: Control) -> None:
    await published(control)
    await control.lead.goes("/control/message/late")

    page = await control.lead.sends("/control/message/late", values="run: {gate: B7}", q="nobody")

    assert page.status_code == 404
    assert "Nobody is known as nobody." in said(page)
    assert "run: {gate: B7}" in page.text


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("run: {gate", "values"),
        ("- a\n- b", "holds no values"),
        (f"run: {{gate: {'x' * 3_100}}}", "more than 3,000 bytes"),
    ],
)
async def test_values_that_cannot_be_read_are_refused_with_the_remedy(
    control: Control, typed: str, told: str
) -> None:
    await published(control)
    await control.lead.goes("/control/message/late")

    page = await control.lead.sends("/control/message/late", values=typed, q="")

    assert page.status_code == 400
    assert told in said(page)
    assert typed[:10] in page.text


async def test_what_stands_in_is_a_number_a_day_or_nothing_where_one_is_asked_for(
    control: Control,
) -> None:
    await published(control, PRICED, "priced")

    page = await control.lead.goes("/control/message/priced")

    assert "It cannot be put into words" not in said(page)
    assert "run.comes" in said(page)
    assert "run.items" in said(page)
    assert "run.total" in said(page)
    frame = await control.lead.client.get(frame_of(page))
    assert re.search(r"You pay .*0\.00", frame.text)
    assert re.search(r"it comes \d\d\.\d\d\.\d{4}\.", frame.text)


async def test_values_of_another_session_are_not_opened(control: Control) -> None:
    await published(control)
    await control.lead.goes("/control/message/late")
    page = await control.lead.sends("/control/message/late", values="run: {gate: B7}", q="")
    address = urlsplit(str(page.url))
    cookie = await control.house.sign_ins.begin("root", "another browser")
    control.lead.client.cookies.clear()

    other = await control.lead.client.get(
        f"{address.path}?{address.query}", headers={"Cookie": f"clew-staff={cookie}"}
    )

    assert other.status_code == 404
    assert "Open the message again, and type them anew." in said(other)
    assert "B7" not in other.text


async def test_a_mail_runs_nothing_in_its_frame(control: Control) -> None:
    await control.house.known("anna", first_name=HOSTILE)
    await published(control)
    await control.lead.goes("/control/message/late")

    page = await control.lead.sends(
        "/control/message/late", values=f"run: {{gate: {HOSTILE!r}}}", q="anna"
    )

    assert "<script>document" not in page.text
    frame = await control.lead.client.get(frame_of(page))
    assert frame.status_code == 200
    assert "&lt;script&gt;document" in frame.text
    assert "<script>document" not in frame.text
    assert "<img src=x" not in frame.text
    rules = frame.headers["content-security-policy"]
    assert rules.startswith("sandbox; default-src 'none'")
    assert "script-src" not in rules
    assert frame.headers["cache-control"] == "no-store"


async def test_a_message_that_nobody_published_is_not_there(control: Control) -> None:
    for path in ("none", quote(HOSTILE, safe=""), "late%00", "..%2F..%2Fetc"):
        page = await control.lead.goes(f"/control/message/{path}")
        assert page.status_code == 404, path
        assert "<script>document" not in page.text


async def test_one_that_cannot_be_read_says_why(control: Control) -> None:
    several = await control.lead.goes("/control/messages")
    assert several.status_code == 200
    assert "how-was-it" in said(several)
    assert "cannot be read" in said(several)

    page = await control.lead.goes("/control/message/how-was-it")

    assert page.status_code == 200
    assert "It cannot be put into words like this. how-was-it" in said(page)


async def test_the_list_says_for_whom_a_message_has_words(control: Control) -> None:
    await published(control)
    page = await control.lead.goes("/control/messages")
    assert re.search(
        r"late Late, \{\{ customer.first_name \}\} as the step says sms de upset", said(page)
    )


@pytest.mark.parametrize(
    "asked", ["channel=fax", "customer=nobody", "given=abc", "given=%F0%9F%98%80"]
)
async def test_what_is_not_there_is_refused_with_words(control: Control, asked: str) -> None:
    await published(control)
    page = await control.lead.goes(f"/control/message/late?{asked}")
    assert page.status_code == 404
    assert len(said(page)) > 20


async def test_an_analyst_may_look_and_an_agent_may_not(control: Control) -> None:
    await published(control)
    cookie = await control.house.sign_ins.begin("ana", "test")
    control.lead.client.cookies.clear()
    analyst = await control.lead.client.get(
        "/control/message/late", headers={"Cookie": f"clew-staff={cookie}"}
    )
    assert analyst.status_code == 200
    for path in ("/control/messages", "/control/message/late", "/control/message/late/mail"):
        refused = await control.agent.goes(path)
        assert refused.status_code == 403
        assert "This is for" in said(refused)
