"""The write key of a request, wherever it stands."""

import base64

import pytest
from starlette.requests import Request

from api.refusals import RefusedRequestError
from api.write_key_check import WriteKeyCheck


class Keys:
    def __init__(self) -> None:
        self.asked: list[str] = []
        self.known = {"key": "shop"}

    async def name_of(self, key: str, scope: str = "ingest") -> str | None:
        del scope
        self.asked.append(key)
        return self.known.get(key)


def request(authorization: str | None = None) -> Request:
    headers = [] if authorization is None else [(b"authorization", authorization.encode())]
    return Request({"type": "http", "headers": headers})


def basic(pair: str) -> str:
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


@pytest.mark.parametrize("authorization", [basic("key:"), basic("key"), "bearer key"])
async def test_a_key_in_the_header_names_its_source(authorization: str) -> None:
    assert await WriteKeyCheck(Keys()).source(request(authorization)) == "shop"


async def test_without_a_header_the_body_is_asked_once_it_is_read() -> None:
    check = WriteKeyCheck(Keys())

    assert await check.source(request()) is None
    assert await check.source(request(), {"writeKey": "key"}) == "shop"


@pytest.mark.parametrize("body", [{}, {"writeKey": 7}, {"writeKey": ""}, {"writeKey": "no"}, []])
async def test_a_body_without_a_known_key_is_refused(body: object) -> None:
    with pytest.raises(RefusedRequestError) as refusal:
        await WriteKeyCheck(Keys()).source(request(), body)
    assert refusal.value.status == 401


@pytest.mark.parametrize("authorization", ["Basic !", "Basic /w==", basic("no:"), "Bearer no"])
async def test_a_wrong_header_is_refused_in_words(authorization: str) -> None:
    with pytest.raises(RefusedRequestError, match=r"key|Basic"):
        await WriteKeyCheck(Keys()).source(request(authorization))


async def test_a_known_key_is_looked_up_once_and_an_unknown_one_each_time() -> None:
    keys = Keys()
    check = WriteKeyCheck(keys)
    for _ in range(3):
        await check.source(request("Bearer key"))
        with pytest.raises(RefusedRequestError):
            await check.source(request("Bearer no"))

    assert keys.asked.count("key") == 1
    assert keys.asked.count("no") == 3
