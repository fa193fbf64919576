"""Erasing over HTTP, for staff who may."""

from collections.abc import AsyncIterator

import httpx2 as httpx
import pytest
import pytest_asyncio

from api.app import create_app
from api.erasures import erasures_router
from api.staff_key import StaffKeyCheck
from stores.audit import AuditStore
from stores.staff_tokens import StaffTokenStore
from tests.integration.conftest import STAFF_TOKEN, staff_client
from tests.integration.erasure.conftest import House

ANNA = ("user_id", "anna")
ERASE = "/v1/customers/anna/erase"


@pytest_asyncio.fixture
async def desk(house: House) -> AsyncIterator[httpx.AsyncClient]:
    staff = StaffKeyCheck(STAFF_TOKEN, StaffTokenStore(house.pool))
    async with staff_client(create_app(erasures_router(house.erasures, staff))) as client:
        yield client


async def test_staff_look_at_what_goes_begin_and_follow_it_until_it_is_proved(
    house: House, desk: httpx.AsyncClient
) -> None:
    anna = await house.known(ANNA, first_name="Anna")

    looked = await desk.post(ERASE, json={"by": "eva", "dry_run": True})
    assert looked.status_code == 200
    assert looked.json()["counts"] == {"customers": 1, "identities": 1}
    assert await house.rows("select 1 from erasures") == []

    begun = await desk.post(ERASE, json={"by": "eva", "reason": "rang"})
    again = await desk.post(ERASE, json={"by": "tom"})
    assert (begun.status_code, begun.json()["customer"]) == (202, anna)
    assert again.json()["erasure"] == begun.json()["erasure"], "it is under way"

    at = f"/v1/erasures/{begun.json()['erasure']}"
    assert (await desk.get(at)).json()["state"] == "begun"
    while await house.eraser("router").round():
        pass
    proof = (await desk.get(at)).json()
    told = ("done", "eva", "rang")
    assert (proof["state"], proof["asked_by"], proof["reason"]) == told
    assert proof["counts"]["customers"] == 1
    deeds = {deed.did for deed in await AuditStore(house.pool).latest()}
    assert deeds == {"began to erase", "erased"}
    assert (await desk.post(ERASE, json={"by": "eva"})).status_code == 404


async def test_only_whoever_may_stop_everything_may_erase(
    house: House, desk: httpx.AsyncClient
) -> None:
    await house.known(ANNA)
    lead = await StaffTokenStore(house.pool).create("lena", "lead", by="test")
    headers = {"Authorization": f"Bearer {lead}"}

    refused = await desk.post(ERASE, json={"by": "lena"}, headers=headers)

    assert (refused.status_code, refused.json()["code"]) == (403, "role_too_low")
    assert (await desk.get("/v1/erasures/e_none", headers=headers)).status_code == 404
    assert await house.rows("select 1 from erasures") == []


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({}, "by: expected text"),
        ({"by": " "}, "by: expected text"),
        ({"by": "eva", "reason": 3}, "reason: expected text"),
        ({"by": "eva", "dry_run": "yes"}, "dry_run: expected true or false"),
        ({"by": "eva", "dryrun": True}, "dryrun: is not known here"),
        ([], "expected one JSON object"),
    ],
)
async def test_what_is_asked_wrongly_erases_nobody(
    house: House, desk: httpx.AsyncClient, asked: object, says: str
) -> None:
    await house.known(ANNA)

    refused = await desk.post(ERASE, json=asked)

    assert refused.status_code == 400
    assert says in refused.json()["message"]
    assert await house.rows("select 1 from erasures") == []
