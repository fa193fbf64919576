"""Write keys by command: made, listed, followed by new ones, revoked; what was revoked opens nothing."""

import json
import time

import httpx2
import pytest

from api.app import create_app
from api.ingest import Ingest
from api.intake import Intake
from api.key_rates import KeyRates
from api.pressure import Pressure
from api.write_key_check import REMEMBERED_SECONDS, WriteKeyCheck
from stores.audit import AuditStore
from stores.customers import CustomerStore
from stores.database import Pool
from stores.write_keys import WriteKeyStore
from tests.integration.api.conftest import SilentBell
from tests.integration.cli.test_stops import Clew, clew, pool

__all__ = ["clew", "pool"]


def ingest(pool: Pool, per_second: float = 0) -> httpx2.AsyncClient:
    keys = WriteKeyCheck(WriteKeyStore(pool))
    intake = Intake(pool, CustomerStore(pool), SilentBell())
    app = create_app(ingest=Ingest(intake, keys, Pressure(), KeyRates(per_second)))
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://clew")


async def send(http: httpx2.AsyncClient, key: str, messages: int = 1) -> httpx2.Response:
    seen = {"type": "track", "event": "Seen", "userId": "anna"}
    body = {"batch": [seen] * messages}
    return await http.post("/v1/batch", json=body, auth=(key, ""))


async def made(clew: Clew, *arguments: str) -> str:
    told = await clew("write-keys", *arguments, "--json")
    assert told.exit_code == 0, told.output
    return json.loads(told.stdout)["write_key"]


async def test_a_key_is_followed_by_another_while_both_are_good(clew: Clew, pool: Pool) -> None:
    old = await made(clew, "create", "shop", "--scope", "ingest", "--days", "30")
    new = await made(clew, "rotate", "shop", "--overlap", "1")

    async with ingest(pool) as http:
        assert [(await send(http, each)).status_code for each in (old, new)] == [200, 200]
    listed = await clew("write-keys", "list")
    assert "shop" in listed.output
    assert old not in listed.output
    assert new not in listed.output
    keys = json.loads((await clew("write-keys", "list", "--json")).stdout)
    assert [each["scopes"] for each in keys] == [["ingest"], ["ingest"]]
    assert all(each["expires_at"] for each in keys)


async def test_a_revoked_key_is_refused_within_five_seconds(
    clew: Clew, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, now = await made(clew, "create", "shop"), time.monotonic()
    async with ingest(pool) as http:
        assert (await send(http, key)).status_code == 200
        assert (await clew("write-keys", "revoke", "shop")).exit_code == 0
        # What the API remembers is over then; nothing else keeps the key alive.
        monkeypatch.setattr("api.write_key_check.time.monotonic", lambda: now + 60)
        assert (await send(http, key)).status_code == 401
    assert REMEMBERED_SECONDS <= 5
    deeds = await AuditStore(pool).latest(what="write key shop")
    assert [deed.did for deed in deeds] == ["revoked", "made"]
    assert all(deed.who.startswith("command: ") for deed in deeds)


async def test_a_key_that_sends_too_much_comes_again_and_another_does_not_wait(
    clew: Clew, pool: Pool
) -> None:
    mad, shop = await made(clew, "create", "mad"), await made(clew, "create", "shop")
    async with ingest(pool, per_second=2) as http:
        assert (await send(http, mad, 20)).status_code == 200
        refused = await send(http, mad, 20)
        assert (await send(http, shop)).status_code == 200

    assert refused.status_code == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 10
    assert refused.json()["code"] == "too_many_messages"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["create", "shop", "--scope", "fax"], "fax is none"),
        (["create", " "], "NAME: write 1 to 200"),
        (["rotate", "nobody"], "No key of the name nobody is good"),
        (["revoke", "nobody"], "No key of the name nobody is good"),
    ],
)
async def test_what_cannot_be_done_is_said(clew: Clew, arguments: list[str], says: str) -> None:
    told = await clew("write-keys", *arguments)
    assert told.exit_code != 0
    assert says in f"{told.output} {told.exception}"
