"""What tells an orchestrator whether the API lives, and whether it can work."""

import httpx2
from fastapi import APIRouter

from api.app import create_app


async def get(app: object, path: str) -> httpx2.Response:
    transport = httpx2.ASGITransport(app=app)  # type: ignore[arg-type]
    async with httpx2.AsyncClient(transport=transport, base_url="http://clew") as client:
        return await client.get(path)


async def well() -> None: ...


async def away() -> None:
    raise ConnectionError("connection refused")


async def test_it_lives_as_long_as_it_answers() -> None:
    answer = await get(create_app(checks={"database": away}), "/healthz")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_it_is_ready_when_every_part_is() -> None:
    assert (await get(create_app(checks={"database": well}), "/readyz")).status_code == 200

    answer = await get(create_app(checks={"database": well, "temporal": away}), "/readyz")
    assert answer.status_code == 503
    assert answer.json()["parts"] == {"database": "ok", "temporal": "connection refused"}


async def test_other_rooms_hang_their_doors_beside_ours() -> None:
    router = APIRouter()

    @router.get("/v1/hello")
    def hello() -> str:
        return "hello"

    assert (await get(create_app(router), "/v1/hello")).json() == "hello"
