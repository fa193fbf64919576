"""A process that was not told what it needs says so, and says what to set."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from workers.settings import (
    ApiSettings,
    CodecSettings,
    DeliverySettings,
    InboundSettings,
    JourneySettings,
    MailboxSettings,
    ProcessSettings,
    RouterSettings,
    SettingsError,
    read_settings,
)

WHOLE = {
    "CLEW_DATABASE_URL": "postgresql://clew@db/clew",
    "TEMPORAL_ADDRESS": "temporal:7233",
    "CLEW_SMTP_URL": "smtp://relay",
    "CLEW_MAIL_FROM": "Clew <hello@example.com>",
    "CLEW_SECRET": "s" * 32,
    "CLEW_PUBLIC_URL": "https://journeys.example.com",
    "CLEW_REPLY_DOMAIN": "reply.example.com",
}
NEEDED: dict[type[ProcessSettings], set[str]] = {
    JourneySettings: {"CLEW_DATABASE_URL", "CLEW_SECRET", "TEMPORAL_ADDRESS"},
    RouterSettings: {"CLEW_DATABASE_URL", "CLEW_SECRET", "TEMPORAL_ADDRESS"},
    CodecSettings: {"CLEW_DATABASE_URL", "CLEW_SECRET"},
    DeliverySettings: set(WHOLE) - {"CLEW_REPLY_DOMAIN"},
    ApiSettings: {"CLEW_DATABASE_URL", "CLEW_SECRET", "CLEW_PUBLIC_URL"},
    InboundSettings: {
        *("CLEW_DATABASE_URL", "CLEW_SECRET", "CLEW_PUBLIC_URL", "CLEW_REPLY_DOMAIN")
    },
    MailboxSettings: set(),
}


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        *WHOLE,
        "CLEW_INBOUND_SECRET",
        "CLEW_SECRET_FILE",
        "CLEW_RUN_CLOCK",
        "TEMPORAL_NAMESPACE",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CLEW_UNENCRYPTED", '["db", "temporal", "relay"]')


@pytest.fixture
def whole(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in WHOLE.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.mark.parametrize("kind", NEEDED, ids=lambda kind: kind.__name__)
def test_each_missing_setting_is_named(kind: type[ProcessSettings]) -> None:
    if not NEEDED[kind]:
        assert read_settings(kind)
        return

    with pytest.raises(SettingsError) as refused:
        read_settings(kind)

    lines = str(refused.value).splitlines()
    assert {line.split(" ")[0] for line in lines} == NEEDED[kind]
    assert all(len(line.partition(" is not set. ")[2]) > 20 for line in lines)


@pytest.mark.parametrize("kind", NEEDED, ids=lambda kind: kind.__name__)
def test_every_setting_is_documented(kind: type[ProcessSettings]) -> None:
    undocumented = [name for name, field in kind.model_fields.items() if not field.description]

    assert undocumented == []


@pytest.mark.parametrize("kind", NEEDED, ids=lambda kind: kind.__name__)
def test_no_secret_is_shown(kind: type[ProcessSettings], whole: pytest.MonkeyPatch) -> None:
    whole.setenv("CLEW_SMTP_URL", "smtps://me:topsecret@relay")
    whole.setenv("CLEW_DATABASE_URL", "postgresql://clew:topsecret@db/clew")
    whole.setenv("CLEW_SECRET", "topsecret" * 4)

    assert "topsecret" not in repr(read_settings(kind))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("CLEW_SECRET", "short", "32 characters"),
        ("CLEW_PUBLIC_URL", "journeys.example.com", "https://"),
        ("CLEW_SMTP_URL", "relay:25", "smtps://"),
        ("CLEW_SMTP_URL", "smtp://me:pw@relay", "in the clear"),
        ("CLEW_SMTP_URL", "smtp://relay:mail", "CLEW_SMTP_URL"),
        ("CLEW_REPLY_DOMAIN", "not a domain", "not a domain that mail can be sent to"),
        ("CLEW_MAIL_FROM", "no-reply@example.com", "able to answer"),
        ("CLEW_MAIL_FROM", "nobody", "not an e-mail address"),
        ("CLEW_DATABASE_CONNECTIONS", "many", "CLEW_DATABASE_CONNECTIONS"),
        ("CLEW_LOG_LEVEL", "loud", "CLEW_LOG_LEVEL"),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_right(
    whole: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    whole.setenv(name, value)

    with pytest.raises(SettingsError, match=said):
        read_settings(DeliverySettings)


def test_answers_go_to_the_reply_domain(whole: pytest.MonkeyPatch) -> None:
    settings = read_settings(DeliverySettings)
    sender = settings.mail_sender(settings.replies())
    assert (sender.answers_to("x:7:3") or "").endswith("@reply.example.com")

    whole.delenv("CLEW_REPLY_DOMAIN")
    assert read_settings(DeliverySettings).mail_sender().answers_to("x:7:3") is None


@pytest.mark.parametrize(
    ("kind", "name", "value", "said"),
    [
        (InboundSettings, "CLEW_REPLY_DOMAIN", "a..b", "not a domain"),
        (ApiSettings, "CLEW_REPLY_DOMAIN", "a..b", "not a domain"),
        (ApiSettings, "CLEW_INBOUND_SECRET", "short", "16 characters"),
    ],
)
def test_doors_for_answers_are_not_opened_by_halves(
    whole: pytest.MonkeyPatch, kind: type[ProcessSettings], name: str, value: str, said: str
) -> None:
    whole.setenv(name, value)

    with pytest.raises(SettingsError, match=said):
        read_settings(kind)


def test_the_secret_may_come_from_a_file(whole: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("f" * 40 + "\n")
    whole.delenv("CLEW_SECRET")
    whole.setenv("CLEW_SECRET_FILE", str(tmp_path / "secret"))

    assert read_settings(ApiSettings).secret.get_secret_value() == "f" * 40

    whole.setenv("CLEW_SECRET_FILE", str(tmp_path / "none"))
    with pytest.raises(SettingsError, match="CLEW_SECRET_FILE: No such file"):
        read_settings(ApiSettings)


def test_the_clock_of_runs_is_read_and_a_wrong_one_refused(whole: pytest.MonkeyPatch) -> None:
    clock = {"wall_epoch": "2026-01-01T00:00:00Z", "run_epoch": "2013-02-08T00:00:00Z"}
    whole.setenv("CLEW_RUN_CLOCK", json.dumps({**clock, "factor": 360}))
    read = read_settings(RouterSettings).run_clock
    assert read is not None
    assert read.factor == 360

    for wrong in ('{"factor": 2}', "fast", json.dumps({**clock, "factor": 0})):
        whole.setenv("CLEW_RUN_CLOCK", wrong)
        with pytest.raises(SettingsError, match=r"(?i)run_clock"):
            read_settings(RouterSettings)


@pytest.mark.parametrize(
    ("url", "security", "port"),
    [
        ("smtp://relay", "plain", 25),
        ("smtp+starttls://me:p%40ss@relay", "starttls", 587),
        ("smtps://me:p%40ss@relay:1465", "tls", 1465),
    ],
)
def test_the_relay_is_read_from_its_url(
    whole: pytest.MonkeyPatch, url: str, security: str, port: int
) -> None:
    whole.setenv("CLEW_SMTP_URL", url)

    server = read_settings(DeliverySettings).smtp_server()

    assert (server.host, server.security, server.port) == ("relay", security, port)
    assert server.password in (None, "p@ss")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "usage"),
        (["fly"], "usage"),
        (["journey"], "TEMPORAL_ADDRESS is not set"),
        (["delivery"], "CLEW_SMTP_URL is not set"),
    ],
    ids=["nothing", "no such process", "journey", "delivery"],
)
def test_a_process_without_what_it_needs_ends_with_2(arguments: list[str], said: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "workers", *arguments], capture_output=True, text=True, check=False
    )

    assert ended.returncode == 2
    assert said in ended.stderr
