"""Settings in a real browser: a key is made and revoked, a channel is tried, and what is read fits everybody."""

import re
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from pydantic import SecretStr

from channels.recording import RecordingChannel, RefuseForGood
from contracts.channel_report import ChannelNews
from journey.house_files import read_house_file
from stores.channel_reports import ChannelReportStore
from stores.engines import EngineStore
from stores.published import HOUSE, PublishedStore
from stores.stops import StopStore
from stores.write_keys import WriteKeyStore
from tests.browser.staff_pages import (
    DESK,
    Inbox,
    Places,
    Theme,
    fits_everybody,
    in_every_light,
    in_every_width,
    picture,
)
from tests.integration.control.control_house import ControlHouse
from tests.integration.control.test_settings_of_the_house import POLICY
from workers.delivery_worker import Watching, watching
from workers.settings import DeliverySettings, read_settings

SETTINGS = "/control/settings"
PAGES = {
    "settings": SETTINGS,
    "settings-queues": f"{SETTINGS}/queues",
    "settings-limits": f"{SETTINGS}/limits",
    "settings-keys": f"{SETTINGS}/keys",
}
KEY = re.compile(r"clew_wk_[\w-]+")
MAIL = RecordingChannel("email", provider="smtp")
SMS = RecordingChannel("sms", provider="twilio")


@pytest_asyncio.fixture(scope="module")
async def control(places: Places) -> AsyncGenerator[Inbox]:
    async with places.lived_in("control_settings", many=60) as house:
        await _set(house)
        async with places.mission_control(house) as pages:
            yield pages


async def _set(house: ControlHouse) -> None:
    """A policy, keys, cases, and channels of which one failed and one is stopped."""
    read = read_house_file("policy", POLICY, "policy.yaml")
    source = read.model_dump(mode="json", by_alias=True, exclude_unset=True)
    await PublishedStore(house.pool).publish("policy", HOUSE, source)
    keys = WriteKeyStore(house.pool)
    for name, days in (("web-shop", None), ("mobile app", 300), ("till in Brno", 5)):
        await keys.create(name, lasts=timedelta(days=days) if days else None, by="root")
    await keys.create("old shop", by="root")
    await keys.revoke("old shop", by="root")
    for queue in ("sales", "sales", "refunds"):
        await house.opened(queue=queue)
    await EngineStore(house.pool).beat("shop-1", "delivery", "0123abcd", [1])
    async with house.pool.connection() as connection:  # it is heard of as long as one looks
        await connection.execute("update processes set seen_at = now() + interval '1 hour'")
        await connection.execute("update write_keys set used_at = now() where name = 'web-shop'")
    await delivery_of(house)
    reports, now = ChannelReportStore(house.pool), datetime.now(UTC)
    await reports.news(ChannelNews(channel="email", sent_at=now))
    failed = "refused, bounced: 21211 <number> is not a valid phone number"
    await reports.news(ChannelNews(channel="sms", failed_at=now, failed_why=failed))
    await StopStore(house.pool).begin(
        "channel", "sms", reason="the provider sends twice", by="root"
    )


async def delivery_of(house: ControlHouse) -> Watching:
    """A delivery process whose providers are scripted."""
    told: dict[str, Any] = {
        "database_url": house.url, "temporal_address": "127.0.0.1:7233", "public_url": "https://clew.test",
        "secret": SecretStr("a secret of at least 32 characters"), "mail_from": "Clew <hello@house.example>",
        "smtp_url": SecretStr("smtps://clew:password@relay.house.example"), "twilio_account": "AC1",
        "twilio_auth_token": SecretStr("t"), "twilio_sms_from": "+420777000000", "phone_region": "CZ",
    }  # fmt: skip
    settings = read_settings(DeliverySettings, told)
    return await watching(house.pool, settings, {"email": MAIL, "sms": SMS})


async def test_a_key_is_made_copied_and_revoked_by_keyboard(control: Inbox) -> None:
    page = await control.page("root")
    await page.goto(SETTINGS)
    await page.click(".tabs >> text=Write keys")
    await page.fill("#name", "kiosk")
    await page.fill("#days", "30")
    await page.press("#days", "Enter")
    await page.wait_for_selector("h2:has-text('The key of kiosk')")
    [key] = set(KEY.findall(await page.content()))
    await fits_everybody(page, DESK)
    assert await WriteKeyStore(control.house.pool).name_of(key) == "kiosk"

    await page.click("text=I have it")
    await page.wait_for_selector("h2:has-text('Make a key')")
    assert KEY.search(await page.content()) is None
    await page.focus("tr:has-text('kiosk') summary")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("summary:has-text('Keys that are over: 2')")

    assert await WriteKeyStore(control.house.pool).name_of(key) is None
    await page.context.close()


async def test_the_key_is_gone_when_one_goes_back(control: Inbox) -> None:
    page = await control.page("root")
    await page.goto(PAGES["settings-keys"])
    await page.fill("#name", "back")
    await page.press("#name", "Enter")
    await page.wait_for_selector(".made")
    await page.click("text=I have it")
    await page.wait_for_selector("h2:has-text('Make a key')")

    await page.go_back()

    assert KEY.search(await page.content()) is None
    assert [k.name for k in await WriteKeyStore(control.house.pool).keys()].count("back") == 1
    await page.context.close()


async def test_what_became_of_a_test_comes_onto_the_open_page_by_itself(control: Inbox) -> None:
    SMS.script("+420777123456", [RefuseForGood("21211 +420777123456 is no number")])
    house: Any = control.house
    delivery = await delivery_of(house)
    page = await control.page("root")
    await page.goto(SETTINGS)
    await page.click("section:has(#sms) summary:has-text('Try it')")
    await page.fill("#to-sms", "+420777123456")
    await page.press("#to-sms", "Enter")
    await page.wait_for_selector("text=waits for a delivery process")

    await delivery.tests.round()

    await page.wait_for_selector("text=21211 <address> is no number")
    assert "+420777123456" not in await page.content()
    await page.context.close()


async def test_a_test_needs_no_script(control: Inbox) -> None:
    house: Any = control.house
    delivery = await delivery_of(house)
    page = await control.page("root", scripts=False)
    await page.goto(SETTINGS)
    await page.click("section:has(#email) summary:has-text('Try it')")
    assert await page.input_value("#to-email") == "root@house.example"
    await page.press("#to-email", "Enter")
    await page.wait_for_selector("text=waits for a delivery process")
    await delivery.tests.round()
    await page.click("text=Look again")

    await page.wait_for_selector("text=the provider took it")
    assert MAIL.taken[-1].address == "root@house.example"
    await page.context.close()


@in_every_light
@in_every_width
@pytest.mark.parametrize("name", list(PAGES))
async def test_nothing_is_in_anybodys_way(
    control: Inbox, name: str, width: int, theme: Theme
) -> None:
    async with control.shown("root", PAGES[name], width, theme) as page:
        for summary in await page.locator("main summary").all():
            await summary.click()
        await fits_everybody(page, width)


@pytest.mark.pictures
@in_every_light
@in_every_width
@pytest.mark.parametrize("name", list(PAGES))
async def test_pictures_of_settings(control: Inbox, name: str, width: int, theme: Theme) -> None:
    async with control.shown("root", PAGES[name], width, theme) as page:
        await picture(page, name, width, theme)
