"""How what is said is kept from others: versions and ciphers of TLS, and who must show a certificate (ASVS V12)."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import psycopg
import pytest
import pytest_asyncio
from pydantic import SecretStr
from starlette.responses import Response
from temporalio.client import Client

from activities.message_channel import ProviderBusyError
from activities.service_call import ServiceBusyError
from api.callers import Callers
from channels.http_call import HttpCaller
from channels.mail import MailSender
from channels.smtp import SmtpChannel, SmtpServer
from channels.unsubscribe_link import UnsubscribeLinks
from tests.security.certificates import Certificate, certificate
from workers.certificates import server_side
from workers.http_settings import HttpSettings
from workers.inbound import _tls
from workers.process import Life, UnfitInstallationError
from workers.settings import (
    ApiSettings,
    CodecSettings,
    InboundSettings,
    JourneySettings,
    MailboxSettings,
    SettingsError,
    read_settings,
)
from workers.temporal_tls import temporal_door
from workers.web import http_encryption, serve_http

CLONE = Path(__file__).resolve().parents[2]
SECRET = {"secret": SecretStr("s" * 32)}


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate(tmp_path_factory.mktemp("ours"))


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """Of somebody who says that they are localhost, too, by another authority."""
    return certificate(tmp_path_factory.mktemp("strangers"))


def of_the_api(shown: Certificate) -> ssl.SSLContext:
    found = http_encryption(HttpSettings(http_certificate=shown.certificate, http_key=shown.key))
    assert found is not None
    return found


def of_the_mail_door(shown: Certificate) -> ssl.SSLContext:
    given = {
        "database_url": "postgresql:///unused",
        "public_url": "https://clew.test",
        "reply_domain": "reply.clew.test",
        "inbound_certificate": shown.certificate,
        "inbound_key": shown.key,
        **SECRET,
    }
    found = _tls(read_settings(InboundSettings, given))
    assert found is not None
    return found


SERVERS = [of_the_api, of_the_mail_door]
Server = Callable[[Certificate], ssl.SSLContext]


def speaking(
    shown: Certificate,
    version: ssl.TLSVersion | None = None,
    ciphers: str = "ALL:@SECLEVEL=0",
) -> ssl.SSLContext:
    """Somebody who speaks this version and no other, and would take any cipher of it."""
    context = ssl.create_default_context(cafile=str(shown.authority))
    context.set_ciphers(ciphers)
    if version is not None:
        context.minimum_version = context.maximum_version = version
    return context


def shaken(server: ssl.SSLContext, client: ssl.SSLContext) -> tuple[str, str]:
    """The version and the cipher that both agree on. Raises: `ssl.SSLError` where they do not."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    one = server.wrap_bio(to_server, to_client, server_side=True)
    other = client.wrap_bio(to_client, to_server, server_hostname="localhost")
    for _ in range(6):
        for side in (other, one):
            with suppress(ssl.SSLWantReadError):
                side.do_handshake()
    cipher = other.cipher()
    assert cipher is not None
    return str(other.version()), cipher[0]


# -- what our servers speak


@pytest.mark.parametrize("server", SERVERS, ids=lambda each: each.__name__)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_no_server_of_ours_speaks_an_old_tls(server: Server, ours: Certificate) -> None:
    old = speaking(ours, ssl.TLSVersion.TLSv1_1)
    lax = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    lax.load_cert_chain(ours.certificate, ours.key)
    lax.set_ciphers("ALL:@SECLEVEL=0")
    lax.minimum_version = ssl.TLSVersion.TLSv1

    assert shaken(lax, old)[0] == "TLSv1.1"
    with pytest.raises(ssl.SSLError):
        shaken(server(ours), old)
    assert shaken(server(ours), speaking(ours, ssl.TLSVersion.TLSv1_2))[0] == "TLSv1.2"
    assert shaken(server(ours), speaking(ours))[0] == "TLSv1.3"


WEAK = ["AES256-GCM-SHA384", "AES128-SHA", "ECDHE-RSA-AES128-SHA", "ECDHE-RSA-AES256-SHA384"]
"""Without forward secrecy, or with a mode whose padding tells: what they are called by OpenSSL."""


@pytest.mark.parametrize("server", SERVERS, ids=lambda each: each.__name__)
@pytest.mark.parametrize("cipher", WEAK)
def test_no_server_of_ours_takes_a_weak_cipher(
    server: Server, cipher: str, ours: Certificate
) -> None:
    lax = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    lax.load_cert_chain(ours.certificate, ours.key)
    lax.set_ciphers("ALL:@SECLEVEL=0")
    client = speaking(ours, ssl.TLSVersion.TLSv1_2, f"{cipher}:@SECLEVEL=0")

    assert shaken(lax, client)[1] == cipher
    with pytest.raises(ssl.SSLError):
        shaken(server(ours), client)


@pytest.mark.parametrize("server", SERVERS, ids=lambda each: each.__name__)
def test_the_strongest_cipher_is_taken_whatever_the_other_side_likes_best(
    server: Server, ours: Certificate
) -> None:
    likes = "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384"
    client = speaking(ours, ssl.TLSVersion.TLSv1_2, likes)

    assert shaken(server(ours), client)[1] == "ECDHE-RSA-AES256-GCM-SHA384"


def test_a_certificate_that_cannot_be_used_is_told_with_its_settings(tmp_path: Path) -> None:
    with pytest.raises(UnfitInstallationError, match="CLEW_HTTP_CERTIFICATE, CLEW_HTTP_KEY"):
        http_encryption(HttpSettings(http_certificate=tmp_path / "none.pem"))


# -- who is answered


async def who_asks(scope: Any, receive: Any, send: Any) -> None:
    """Answers with whose request it takes this to be, and how it came."""
    await Response(f"{scope['client'][0]} {scope['scheme']}")(scope, receive, send)


async def asked(
    caller: str, *headers: tuple[str, str], proxies: Sequence[str] = (), scheme: str = "http"
) -> tuple[int, str]:
    """What somebody at an address is answered."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "query_string": b"",
        "client": (caller, 50_000),
        "scheme": scheme,
        "headers": [(name.encode(), value.encode()) for name, value in headers],
    }
    await Callers(who_asks, [ip_network(each) for each in proxies])(scope, receive, send)
    return sent[0]["status"], sent[1]["body"].decode()


@pytest.mark.parametrize("caller", ["192.0.2.7", "10.0.0.1", "2001:db8::7", "::ffff:192.0.2.7"])
async def test_what_comes_in_the_clear_from_elsewhere_is_not_answered(caller: str) -> None:
    status, said = await asked(caller, ("x-forwarded-proto", "https"))

    assert status == 403
    assert "https_only" in said
    assert caller not in said
    assert await asked(caller, scheme="https") == (200, f"{caller} https")


@pytest.mark.parametrize("caller", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
async def test_who_asks_on_this_machine_may_ask_in_the_clear(caller: str) -> None:
    assert (await asked(caller))[0] == 200


async def test_a_declared_proxy_is_answered_unless_it_says_that_it_was_asked_in_the_clear() -> None:
    known = ["10.0.0.0/8"]

    assert await asked("10.0.0.5", proxies=known) == (200, "10.0.0.5 https")
    assert (await asked("10.0.0.5", ("x-forwarded-proto", "https"), proxies=known))[0] == 200
    assert (await asked("10.0.0.5", ("x-forwarded-proto", "http"), proxies=known))[0] == 403
    assert (await asked("10.0.0.5", ("x-forwarded-proto", "https, http"), proxies=known))[0] == 403
    assert (await asked("192.0.2.7", proxies=known))[0] == 403


@pytest.mark.parametrize(
    ("named", "caller"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("6.6.6.6, 198.51.100.7", "198.51.100.7"),
        ("6.6.6.6, 198.51.100.7, 10.0.0.9", "198.51.100.7"),
        ("2001:db8::7", "2001:db8::7"),
        ("nobody", "10.0.0.5"),
        ("6.6.6.6, nobody", "10.0.0.5"),
        ("", "10.0.0.5"),
    ],
)
async def test_whom_a_declared_proxy_names_is_who_asks_and_nobody_else_is_believed(
    named: str, caller: str
) -> None:
    told = ("x-forwarded-for", named)

    assert await asked("10.0.0.5", told, proxies=["10.0.0.0/8"]) == (200, f"{caller} https")
    assert await asked("127.0.0.1", told, proxies=["10.0.0.0/8"]) == (200, "127.0.0.1 http")


@pytest_asyncio.fixture
async def port(ours: Certificate) -> AsyncIterator[int]:
    """Where we serve HTTPS."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        chosen = free.getsockname()[1]
    life, told = Life(), HttpSettings(http_certificate=ours.certificate, http_key=ours.key)
    serving = asyncio.create_task(serve_http(who_asks, "127.0.0.1", chosen, life, told))
    async with asyncio.timeout(60):
        while True:
            with suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", chosen)
                writer.close()
                break
            await asyncio.sleep(0)
    yield chosen
    life.stop.set()
    await serving


async def get(port: int, encrypting: ssl.SSLContext | None) -> bytes:
    host = "localhost" if encrypting else None
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=encrypting, server_hostname=host
    )
    writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    try:
        return await reader.read()
    finally:
        writer.close()


async def test_with_a_certificate_https_is_served_and_nothing_in_the_clear(
    port: int, ours: Certificate
) -> None:
    told = await get(port, speaking(ours, ciphers="DEFAULT"))
    heard = b""
    with suppress(ConnectionError):
        heard = await get(port, None)

    assert told.startswith(b"HTTP/1.1 200")
    assert told.endswith(b"127.0.0.1 https")
    assert not heard.startswith(b"HTTP/")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
async def test_the_port_itself_refuses_who_speaks_an_old_tls(port: int, ours: Certificate) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await get(port, speaking(ours, ssl.TLSVersion.TLSv1_1))


@pytest.mark.parametrize(
    ("kind", "host", "more"),
    [
        (ApiSettings, "api_host", {"public_url": "https://clew.test"}),
        (CodecSettings, "codec_host", {}),
        (MailboxSettings, "mailbox_host", {}),
    ],
    ids=lambda each: getattr(each, "__name__", None),
)
def test_no_process_begins_that_others_could_reach_in_the_clear(
    kind: Any, host: str, more: dict[str, Any], ours: Certificate
) -> None:
    given = {"database_url": "postgresql:///unused", host: "0.0.0.0", **SECRET, **more}

    with pytest.raises(SettingsError, match="CLEW_PROXIES"):
        read_settings(kind, given)
    assert read_settings(kind, {**given, "proxies": ["10.0.0.5"]})
    assert read_settings(kind, {**given, "http_certificate": ours.certificate})


# -- whom we reach


def journey(**given: Any) -> JourneySettings:
    usual = {"database_url": "postgresql:///clew", "temporal_address": "127.0.0.1:7233"}
    return read_settings(JourneySettings, {**usual, **SECRET, **given})


@pytest.mark.parametrize("way", ["", "?sslmode=require", "?sslmode=prefer", "?sslmode=disable"])
def test_a_database_elsewhere_must_show_a_certificate(way: str) -> None:
    url = f"postgresql://clew@db.example.com/clew{way}"

    with pytest.raises(SettingsError, match="sslmode=verify-full"):
        journey(database_url=url)
    assert journey(database_url=url, unencrypted=["db.example.com"])
    assert journey(database_url="postgresql://clew@db.example.com/clew?sslmode=verify-full")
    assert journey(database_url="postgresql://clew@127.0.0.1/clew")


def test_temporal_elsewhere_must_show_a_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = "temporal.example.com:7233"

    with pytest.raises(SettingsError, match="TEMPORAL_TLS"):
        journey(temporal_address=elsewhere)
    assert journey(temporal_address=elsewhere, unencrypted=["temporal.example.com"])
    monkeypatch.setenv("TEMPORAL_TLS", "true")
    assert journey(temporal_address=elsewhere)


def test_measures_are_read_nowhere_in_the_clear() -> None:
    with pytest.raises(SettingsError, match="CLEW_METRICS_HOST"):
        journey(metrics_port=9000, metrics_host="0.0.0.0")
    assert journey(metrics_port=9000, metrics_host="0.0.0.0", unencrypted=["metrics"])


@pytest.mark.parametrize("kind", ["", "LOGS_", "TRACES_", "METRICS_"])
def test_no_collector_elsewhere_is_told_anything_in_the_clear(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    setting = f"OTEL_EXPORTER_OTLP_{kind}ENDPOINT"
    monkeypatch.setenv(setting, "http://collector.example.com:4318")

    with pytest.raises(SettingsError, match=setting):
        journey()
    assert journey(unencrypted=["collector.example.com"])


class Shown:
    """Somebody at a port who shows a certificate, and keeps what is said once that was believed."""

    def __init__(self, context: ssl.SSLContext, *, postgres: bool = False) -> None:
        self._context, self._postgres = context, postgres
        self.port, self.heard = 0, b""

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            if self._postgres:
                await reader.readexactly(8)  # "may we speak TLS?"
                writer.write(b"S")
            await writer.start_tls(self._context)
            self.heard = await reader.read(64)
        writer.close()


@pytest_asyncio.fixture
async def somebody(request: pytest.FixtureRequest, ours: Certificate) -> AsyncIterator[Shown]:
    """Who shows a certificate that `ours.authority` signed."""
    context = server_side(ours.certificate, ours.key, "")
    context.set_alpn_protocols(["h2"])  # Temporal's client speaks to nobody else
    there = Shown(context, postgres=request.param)
    server = await asyncio.start_server(there, "127.0.0.1", 0)
    there.port = server.sockets[0].getsockname()[1]
    yield there
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize("somebody", [True], indirect=True)
async def test_a_database_whose_certificate_nobody_vouches_for_is_told_nothing(
    somebody: Shown, ours: Certificate, strangers: Certificate
) -> None:
    where = (
        f"postgresql://clew@localhost:{somebody.port}/clew?hostaddr=127.0.0.1&sslmode=verify-full"
    )

    with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
        await psycopg.AsyncConnection.connect(f"{where}&sslrootcert={strangers.authority}")
    assert somebody.heard == b""
    with pytest.raises(psycopg.OperationalError):  # it is no database after all
        await psycopg.AsyncConnection.connect(f"{where}&sslrootcert={ours.authority}")
    assert b"clew" in somebody.heard


@pytest.mark.parametrize("somebody", [False], indirect=True)
async def test_a_temporal_whose_certificate_nobody_vouches_for_is_told_nothing(
    somebody: Shown, ours: Certificate, strangers: Certificate
) -> None:
    async def call(authority: Path) -> None:
        door = temporal_door({"TEMPORAL_TLS_SERVER_CA_CERT_PATH": str(authority)})
        with pytest.raises(RuntimeError):
            await Client.connect(f"localhost:{somebody.port}", tls=door.tls)

    await call(strangers.authority)
    assert somebody.heard == b""
    await call(ours.authority)
    assert somebody.heard.startswith(b"PRI * HTTP/2.0")


def test_temporal_is_shown_our_own_certificate_and_key_where_they_are_set(
    ours: Certificate,
) -> None:
    door = temporal_door(
        {
            "TEMPORAL_TLS_CLIENT_CERT_PATH": str(ours.certificate),
            "TEMPORAL_TLS_CLIENT_KEY_PATH": str(ours.key),
            "TEMPORAL_TLS_SERVER_NAME": "temporal.example.com",
            "TEMPORAL_TLS_SERVER_CA_CERT_PATH": "",
            "TEMPORAL_API_KEY": "",
        }
    )

    assert not isinstance(door.tls, bool)
    assert door.tls.client_cert == ours.certificate.read_bytes()
    assert door.tls.client_private_key == ours.key.read_bytes()
    assert door.tls.domain == "temporal.example.com"
    assert door.api_key is None
    assert temporal_door({}).tls is False


@pytest.mark.parametrize("somebody", [False], indirect=True)
async def test_a_service_whose_certificate_nobody_vouches_for_is_told_nothing(
    somebody: Shown,
) -> None:
    caller = HttpCaller(b"k" * 32, lambda: datetime.now(UTC), allowed=["localhost"])

    with pytest.raises(ServiceBusyError, match="certificate verify failed"):
        await caller.call("k", "POST", f"https://localhost:{somebody.port}/", {}, {"for": "anna"})
    await caller.close()

    assert somebody.heard == b""


@pytest.mark.parametrize("somebody", [False], indirect=True)
async def test_a_relay_whose_certificate_nobody_vouches_for_gets_no_mail(somebody: Shown) -> None:
    relay = SmtpServer(
        host="localhost", port=somebody.port, security="tls", username="us", password="pw"
    )
    sender = MailSender(address="hello@clew.test", name="Clew")
    channel = SmtpChannel(relay, sender, UnsubscribeLinks("https://clew.test", b"s" * 32))

    with pytest.raises(ProviderBusyError, match="certificate verify failed"):
        await channel._connect()

    assert somebody.heard == b""


def test_a_web_ui_elsewhere_must_show_a_certificate() -> None:
    def codec(at: str, **given: Any) -> CodecSettings:
        told = {"database_url": "postgresql:///clew", "codec_web_ui": at, **SECRET, **given}
        return read_settings(CodecSettings, told)

    with pytest.raises(SettingsError, match="CLEW_CODEC_WEB_UI"):
        codec("http://ui.example.com:8080")
    assert codec("http://temporal-ui:8080", unencrypted=["temporal-ui"])
    assert codec("https://ui.example.com")
    assert codec("http://127.0.0.1:8233")
