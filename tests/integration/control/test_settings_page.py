"""How the installation is set: who may send, what is seen of it by whom, and that nothing secret ever is."""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, cast

import httpx2 as httpx
import pytest

from stores.wakeup import Bell
from stores.write_keys import WriteKeyStore
from tests.integration.control.conftest import Control
from tests.integration.inbox.staff_house import HOSTILE, Browser, said
from tests.security.conftest import NoBell, every_door
from workers.api import api_app

KEYS = "/control/settings/keys"
KEY = re.compile(r"clew_wk_[\w-]+")


async def signed_in(control: Control, member: str) -> Browser:
    """Somebody else at the agent's browser."""
    await control.house.signed_in(control.agent.client, member)
    await control.agent.goes("/control")
    return control.agent


@asynccontextmanager
async def ingest(control: Control) -> AsyncGenerator[httpx.AsyncClient]:
    """A process of the API that remembers no key."""
    ear: Any = None
    app = api_app(
        control.house.pool, cast("Bell", NoBell()), ear, every_door(), asyncio.Event(), control.house.ear
    )  # fmt: skip
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="https://clew.test") as client:
        yield client


async def sends(control: Control, key: str) -> int:
    async with ingest(control) as client:
        answer = await client.post(
            "/v1/track",
            json={"event": "Seen", "userId": "anna", "messageId": "m-1"},
            headers={"Authorization": f"Bearer {key}"},
        )
    return answer.status_code


async def test_a_key_is_shown_once_and_works_until_it_is_revoked(control: Control) -> None:
    admin = await signed_in(control, "root")

    made = await admin.sends(KEYS, name="web-shop", opens="ingest", days="30")

    [key] = set(KEY.findall(made.text))
    assert (made.status_code, made.headers["cache-control"]) == (200, "no-store")
    assert await sends(control, key) == 200
    listed = await admin.goes(KEYS)
    assert re.search(r"web-shop ingest \S+ \S+ UTC \S+ \S+ UTC", said(listed))  # made, and used
    assert KEY.search(listed.text) is None

    revoked = await admin.sends(f"{KEYS}/revoke", name="web-shop")

    assert "web-shop ingest" in said(revoked)  # among those that are over
    assert "No key is good" in said(revoked)
    assert await sends(control, key) == 401


async def test_the_audit_says_who_made_and_revoked_it_and_nobody_finds_the_key_there(
    control: Control,
) -> None:
    admin = await signed_in(control, "root")
    made = await admin.sends(KEYS, name="web-shop", opens="ingest")
    await admin.sends(f"{KEYS}/revoke", name="web-shop")

    [key] = set(KEY.findall(made.text))
    deeds = await control.house.rows(
        "select who, did, object, actor, audit::text as whole from audit where object = 'write key web-shop'"
        " order by audit"
    )
    assert [(each["who"], each["did"]) for each in deeds] == [("root", "made"), ("root", "revoked")]
    assert [each["actor"] for each in deeds] == ["root", "root"]
    held = await control.house.rows("select write_keys::text as whole from write_keys")
    assert key not in f"{deeds} {held}"


@pytest.mark.parametrize("member", ["lena", "ana"])
async def test_whoever_is_no_admin_sees_no_keys_and_is_told_who_may(
    control: Control, member: str
) -> None:
    await WriteKeyStore(control.house.pool).create("web-shop", by="test")
    browser = await signed_in(control, member)

    for refused in (
        await browser.goes(KEYS),
        await browser.sends(KEYS, name="mine", opens="ingest"),
        await browser.sends(f"{KEYS}/revoke", name="web-shop"),
    ):
        assert refused.status_code == 403
        assert "An admin sees, makes and revokes write keys." in said(refused)
        assert "web-shop" not in refused.text

    [key] = await WriteKeyStore(control.house.pool).keys()
    assert (key.name, key.revoked_at) == ("web-shop", None)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": "", "opens": "ingest"}, "Name the source"),
        ({"name": "x" * 201, "opens": "ingest"}, "Name the source"),
        ({"name": "shop", "opens": "everything"}, "Choose what it opens"),
        ({"name": "shop", "opens": "ingest", "days": "0"}, "a number from 1 to 3650"),
        ({"name": "shop", "opens": "ingest", "days": "4000"}, "a number from 1 to 3650"),
        ({"name": "shop", "opens": "ingest", "days": "soon"}, "a number from 1 to 3650"),
        ({"name": "there", "opens": "ingest"}, "clew write-keys rotate"),
    ],
)
async def test_what_is_wrong_is_told_with_its_remedy_and_makes_no_key(
    control: Control, fields: dict[str, str], words: str
) -> None:
    await WriteKeyStore(control.house.pool).create("there", by="test")
    admin = await signed_in(control, "root")

    answer = await admin.sends(KEYS, **fields)

    assert answer.status_code == 400
    assert words in said(answer)
    assert [each.name for each in await WriteKeyStore(control.house.pool).keys()] == ["there"]


async def test_keys_that_end_soon_or_are_over_are_told_apart(control: Control) -> None:
    keys = WriteKeyStore(control.house.pool)
    await keys.create("ends soon", lasts=timedelta(days=3))
    await keys.create("ends late", lasts=timedelta(days=300), scopes=["devices"])
    await keys.create("has ended", lasts=timedelta(seconds=-1))
    admin = await signed_in(control, "root")

    page = await admin.goes(KEYS)

    words = said(page)
    assert "Good keys 2" in words
    assert "End within 14 days ! 1" in words
    assert "10,000 a second" in words
    assert "Keys that are over: 1" in words
    assert re.search(r"has ended ingest, devices \S+ \S+ UTC ended ", words)


async def test_two_keys_of_one_name_are_said_to_go_together(control: Control) -> None:
    keys = WriteKeyStore(control.house.pool)
    await keys.create("shop")
    await keys.create("shop")
    admin = await signed_in(control, "root")

    assert "All 2 keys of this name" in said(await admin.goes(KEYS))
    await admin.sends(f"{KEYS}/revoke", name="shop")

    assert all(each.revoked_at for each in await keys.keys())
    again = await admin.sends(f"{KEYS}/revoke", name="shop")
    assert again.status_code == 400
    assert "it was revoked before" in said(again)


async def test_a_hostile_name_is_text(control: Control) -> None:
    admin = await signed_in(control, "root")

    made = await admin.sends(KEYS, name=HOSTILE, opens="devices")
    listed = await admin.goes(KEYS)

    for page in (made, listed):
        assert page.status_code == 200
        assert HOSTILE in said(page)
        assert "<script>document" not in page.text
