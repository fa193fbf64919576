"""Where a call never goes, and what a service that is called cannot do to us."""

import asyncio
import gzip
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

import pytest
from pytest_httpserver import HTTPServer

from activities.service_call import CallRefusedError, ServiceBusyError
from channels.http_call import Find, HttpCaller
from tests.integration.channels.called_service import (
    BEGINNING,
    Answers,
    Service,
    calling,
    get,
    post,
    serving,
    told,
)

# -- where it must not go


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "LOCALHOST", "127.0.0.1", "127.1", "2130706433", "0x7f000001",
        "0.0.0.0", "0", "10.0.0.7", "172.16.0.1", "192.168.1.1", "169.254.169.254",
        "100.64.0.1", "198.18.0.1", "224.0.0.1", "255.255.255.255",
        "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:10.0.0.7]",
        "[0:0:0:0:0:ffff:169.254.169.254]", "[::127.0.0.1]", "[::ffff:0:127.0.0.1]",
        "[64:ff9b::127.0.0.1]", "[64:ff9b:1::1]", "[2002:7f00:1::]", "[2001:0:1::1]", "[fe80::1]",
        "[fc00::1]", "[fd12:3456::1]", "[fec0::1]", "[ff02::1]", "[2001:db8::1]",
    ],
)  # fmt: skip
async def test_a_private_address_is_not_called_however_it_is_written(
    stranger: HttpCaller, httpserver: HTTPServer, host: str
) -> None:
    httpserver.expect_request("/").respond_with_json({})

    with pytest.raises(CallRefusedError) as refused:
        await get(stranger, f"http://{host}:{httpserver.port}/")

    assert "CLEW_CALLS_ALLOWED" in str(refused.value)
    assert httpserver.log == []


def at(*addresses: str, asked: list[str] | None = None) -> Find:
    """Names lead to these addresses, whatever they are."""

    async def find(host: str, port: int) -> Sequence[str]:
        if asked is not None:
            asked.append(host)
        return addresses

    return find


async def test_a_public_name_with_a_private_address_among_its_addresses_is_not_called() -> None:
    async with calling(find=at("93.184.216.34", "::ffff:10.0.0.7")) as caller:
        with pytest.raises(CallRefusedError) as refused:
            await get(caller, "https://stock.example.com/")

    assert str(refused.value) == (
        "stock.example.com is at the private address ::ffff:10.0.0.7:"
        " add it to CLEW_CALLS_ALLOWED to call it"
    )


async def test_the_address_that_was_checked_is_the_one_that_is_called(
    httpserver: HTTPServer,
) -> None:
    httpserver.expect_request("/").respond_with_json({})
    asked: list[str] = []

    async with calling("Stock.Internal", find=at("127.0.0.1", asked=asked)) as caller:
        await get(caller, f"http://stock.internal:{httpserver.port}/")

    assert asked == ["stock.internal"]
    assert told(httpserver)["host"] == f"stock.internal:{httpserver.port}"


async def test_a_service_that_is_not_at_its_first_address_is_called_at_the_next(
    httpserver: HTTPServer,
) -> None:
    """`localhost` is ::1 first on most machines, and many services are at 127.0.0.1 alone."""
    httpserver.expect_request("/").respond_with_json({})

    async with calling("localhost", find=at("127.9.9.9", "127.0.0.1")) as caller:
        said = await get(caller, f"http://localhost:{httpserver.port}/")

    assert said.status == 200
    assert len(httpserver.log) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_nobody_is_led_elsewhere(
    caller: HttpCaller, httpserver: HTTPServer, status: int
) -> None:
    inside = f"http://127.0.0.1:{httpserver.port}/inside"
    httpserver.expect_request("/stock").respond_with_data(
        status=status, headers={"Location": inside}
    )
    httpserver.expect_request("/inside").respond_with_json({"secret": True})

    with pytest.raises(CallRefusedError, match=f"answered {status}: redirects are not followed"):
        await post(caller, httpserver.url_for("/stock"))

    assert [request.path for request, _ in httpserver.log] == ["/stock"]


async def test_a_name_that_nobody_has_is_looked_for_again_later() -> None:
    async def find(host: str, port: int) -> Sequence[str]:
        raise OSError(f"nobody is called {host}")

    async with calling(find=find) as caller:
        with pytest.raises(ServiceBusyError, match=r"^stock\.example cannot be found: nobody"):
            await get(caller, "https://stock.example/")


async def test_a_service_that_is_down_is_called_again_later(punctual: HttpCaller) -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()

    with pytest.raises(ServiceBusyError, match=r"^localhost cannot be reached: "):
        await get(punctual, f"http://localhost:{port}/")


@pytest.mark.parametrize(
    "url",
    [
        "http://0177.0.0.1/",
        "http://1.2.3.400/",
        "http://[::g]/",
        "https://x:port/",
        f"https://{'x' * 64}.example/",
    ],
)
async def test_an_address_that_is_none_is_refused_for_good(stranger: HttpCaller, url: str) -> None:
    with pytest.raises(CallRefusedError, match=r"cannot be called|is not the name of a host"):
        await get(stranger, url)


# -- what a service may not do to us


async def without_end(service: Service, writer: asyncio.StreamWriter) -> None:
    writer.write(BEGINNING + b"\r\n")
    while True:
        writer.write(b" " * 50_000)
        await writer.drain()
        service.sent += 50_000


async def drop_by_drop(service: Service, writer: asyncio.StreamWriter) -> None:
    await _drip(writer, BEGINNING + b"\r\n", b" ")


async def headers_drop_by_drop(service: Service, writer: asyncio.StreamWriter) -> None:
    await _drip(writer, BEGINNING, b"X-More: 1\r\n")


async def _drip(writer: asyncio.StreamWriter, beginning: bytes, drop: bytes) -> None:
    writer.write(beginning)
    never = asyncio.Event()
    while True:
        writer.write(drop)
        await writer.drain()
        with suppress(TimeoutError):
            await asyncio.wait_for(never.wait(), 0.02)


async def nothing(service: Service, writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def in_a_small_packet(service: Service, writer: asyncio.StreamWriter) -> None:
    packed = gzip.compress(b" " * 5_000_000)
    length = f"Content-Length: {len(packed)}\r\nContent-Encoding: gzip\r\n\r\n"
    writer.write(BEGINNING + length.encode() + packed)


async def kept_open(service: Service, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")


async def test_an_answer_that_is_too_large_is_refused_before_it_is_read(
    punctual: HttpCaller,
) -> None:
    async with serving(without_end) as service:
        with pytest.raises(CallRefusedError, match="more than 256,000 bytes"):
            await get(punctual, service.url)

    assert service.sent < 20_000_000  # what the sockets of this machine hold besides


async def test_an_answer_is_never_unpacked(punctual: HttpCaller) -> None:
    async with serving(in_a_small_packet) as service:
        with pytest.raises(CallRefusedError, match="answered in gzip"):
            await get(punctual, service.url)


@pytest.mark.parametrize("slowly", [drop_by_drop, headers_drop_by_drop, nothing])
async def test_a_service_that_never_comes_to_an_end_is_cut_off(slowly: Answers) -> None:
    soon = timedelta(seconds=0.4)

    async with serving(slowly) as service, calling("localhost", within=soon) as caller:
        with pytest.raises(ServiceBusyError, match=r"did not answer within 0\.4 seconds"):
            async with asyncio.timeout(60):
                await get(caller, service.url)

    assert service.connections == 1


async def test_two_services_at_one_address_are_never_called_over_one_connection() -> None:
    async with serving(kept_open) as service:
        names = ("a.internal", "b.internal")
        async with calling(*names, find=at("127.0.0.1")) as caller:
            for name in names:
                await get(caller, service.url.replace("localhost", name))

    assert [host.partition(":")[0] for host in service.hosts] == list(names)
    assert service.connections == 2
