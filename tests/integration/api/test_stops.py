"""The emergency stop over HTTP, for staff only."""

from collections.abc import AsyncIterator

import httpx2 as httpx
import pytest
import pytest_asyncio

from api.app import create_app
from api.staff_key import StaffKeyCheck
from api.stops import stops_router
from stores.database import Pool
from stores.stops import StopStore
from tests.integration.conftest import STAFF_TOKEN, staff_client

EVERYTHING = {"scope": "everything", "reason": "wrong prices", "by": "eva"}


@pytest_asyncio.fixture
async def desk(pool: Pool) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(stops_router(StopStore(pool), StaffKeyCheck(STAFF_TOKEN)))
    async with staff_client(app) as client:
        yield client


async def test_staff_stop_everything_see_it_and_let_it_go_on(desk: httpx.AsyncClient) -> None:
    assert (await desk.post("/v1/stops", json=EVERYTHING)).status_code == 201
    assert (await desk.post("/v1/stops", json=EVERYTHING)).json()["began"] is False

    [stop] = (await desk.get("/v1/stops")).json()["stops"]
    assert (stop["scope"], stop["reason"], stop["by"]) == ("everything", "wrong prices", "eva")
    assert stop["waiting"] == 0

    assert (await desk.delete("/v1/stops/everything?by=eva")).status_code == 204
    assert (await desk.delete("/v1/stops/everything?by=eva")).status_code == 404
    assert (await desk.get("/v1/stops")).json() == {"stops": []}


@pytest.mark.parametrize(
    ("asked", "status", "says"),
    [
        ({"scope": "all"}, 400, "everything, channel, journey"),
        ({"scope": "channel"}, 400, "name"),
        ({"name": "email"}, 400, "with everything, none"),
        ({"reason": " "}, 400, "reason"),
        ({"by": 7}, 400, "by"),
        ({"scope": "journey", "name": "nowhere"}, 404, "is no journey"),
    ],
)
async def test_what_cannot_be_meant_is_refused_and_nothing_is_stopped(
    desk: httpx.AsyncClient, asked: dict[str, object], status: int, says: str
) -> None:
    answer = await desk.post("/v1/stops", json={**EVERYTHING, **asked})

    assert answer.status_code == status
    assert says in answer.text
    assert (await desk.get("/v1/stops")).json() == {"stops": []}


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_nobody_else_may(desk: httpx.AsyncClient, method: str) -> None:
    answer = await desk.request(method, "/v1/stops", headers={"authorization": "Bearer wk"})

    assert answer.status_code == 401
