"""Links of messages are asked for as a person would, and nobody's private network is."""

from collections.abc import Sequence

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from channels.link_check import LinkCheck


async def checked(urls: Sequence[str], *allowed: str) -> dict[str, str]:
    check = LinkCheck(allowed=allowed)
    try:
        return {
            each.url.rpartition("/")[2]: f"{each.state} {each.words}".strip()
            for each in await check.check(urls)
        }
    finally:
        await check.close()


async def test_what_is_there_what_moved_and_what_is_gone(httpserver: HTTPServer) -> None:
    def only_get(request: Request) -> Response:
        return Response(status=200 if request.method == "GET" else 405)

    httpserver.expect_request("/there").respond_with_data("x")
    httpserver.expect_request("/get").respond_with_handler(only_get)
    httpserver.expect_request("/gone").respond_with_data("x", status=410)
    httpserver.expect_request("/moved").respond_with_data(
        "", status=301, headers={"Location": "/there"}
    )
    httpserver.expect_request("/round").respond_with_data(
        "", status=302, headers={"Location": "/round"}
    )
    names = ("there", "get", "gone", "moved", "round")
    host = httpserver.host

    found = await checked([httpserver.url_for(f"/{name}") for name in names], host)

    assert found == {
        "there": "there",
        "get": "there",
        "gone": f"broken {host} answers 410",
        "moved": f"moved leads to {httpserver.url_for('/there')}",
        "round": "broken leads on 5 times and more",
    }


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
async def test_a_private_address_is_asked_only_where_that_is_allowed(
    httpserver: HTTPServer, host: str
) -> None:
    [found] = (await checked([f"http://{host}:{httpserver.port}/x"])).values()

    assert found.startswith("refused ")
    assert "--allow" in found
    assert httpserver.log == []


async def test_a_name_that_nobody_has_is_broken() -> None:
    [found] = (await checked(["http://nobody.invalid/x"])).values()

    assert found.startswith("broken ")
