"""What the delivery process tells of its channels: how each is set, and nothing by which a provider is paid."""

from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from pydantic import SecretStr

from activities.message_channel import (
    ProviderAnswer,
    ProviderBusyError,
    ProviderRefusedError,
    RenderedMessage,
    UnknownOutcomeError,
)
from channels.recording import RecordingChannel
from contracts.channel_report import ChannelNews, ToldChannel
from contracts.hidden_address import without_addresses
from workers.channel_report import SHOWN, ChannelWatch, told_channels
from workers.settings import DeliverySettings, read_settings

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
CANARY = "canary-of-a-secret-that-nobody-may-see"
GIVEN: dict[str, Any] = {
    "database_url": "postgresql:///unused",
    "temporal_address": "127.0.0.1:7233",
    "public_url": "https://clew.test",
    "secret": SecretStr(CANARY * 2),
    "mail_from": "Clew <hello@clew.test>",
    "smtp_url": SecretStr(f"smtps://relay-user:{CANARY}@relay.test:465"),
    "ses_access_key_id": CANARY,
    "ses_secret_access_key": SecretStr(CANARY),
    "sendgrid_api_key": SecretStr(CANARY),
    "postmark_token": SecretStr(CANARY),
    "twilio_account": CANARY,
    "twilio_auth_token": SecretStr(CANARY),
    "twilio_sms_from": "+420777000000",
    "slack_token": SecretStr(CANARY),
    "webhook_secret": SecretStr(CANARY),
    "calls_hosts": ["hooks.test"],
}


def settings(**more: Any) -> DeliverySettings:
    return read_settings(DeliverySettings, {**GIVEN, **more})


def by_name(told: list[ToldChannel]) -> dict[str, ToldChannel]:
    return {each.channel: each for each in told}


@pytest.mark.parametrize(
    "more",
    [{}, {"mail_by": "ses", "ses_region": "eu-west-1"}, {"mail_by": "sendgrid"}, {"mail_by": "postmark"}],
)  # fmt: skip
def test_no_secret_is_ever_told(more: dict[str, Any]) -> None:
    told = told_channels(settings(**more), ["email"], {})

    assert CANARY not in f"{told}"
    assert "relay-user" not in f"{told}"


def test_what_is_shown_is_of_no_secret_field() -> None:
    for name in SHOWN:
        kind = DeliverySettings.model_fields[name].annotation
        assert kind is not SecretStr
        assert SecretStr not in get_args(kind)


def test_it_is_told_what_is_set_and_by_which_variable() -> None:
    channels = by_name(
        told_channels(settings(), ["email", "sms"], {"CLEW_TWILIO_AUTH_TOKEN_FILE": "/run/token"})
    )

    mail = {each.variable: each for each in channels["email"].settings}
    texts = {each.variable: each for each in channels["sms"].settings}
    assert channels["email"].is_on
    assert not channels["push"].is_on
    assert mail["CLEW_SMTP_URL"].value == "relay.test:465, tls"
    assert mail["CLEW_MAIL_FROM"].value == "Clew <hello@clew.test>"
    assert not mail["CLEW_MAIL_REPLY_TO"].is_set
    assert texts["CLEW_TWILIO_AUTH_TOKEN_FILE"].is_set
    assert texts["CLEW_TWILIO_ACCOUNT"].value == ""
    assert texts["CLEW_TWILIO_SMS_FROM"].value == "+420777000000"


class News:
    """Keeps what is told; away, it cannot."""

    def __init__(self) -> None:
        self.kept: list[ChannelNews] = []
        self.away = False

    async def news(self, news: ChannelNews) -> None:
        if self.away:
            raise ConnectionError
        self.kept.append(news)


class Failing(RecordingChannel):
    """A channel that fails as it is told."""

    error: BaseException | None = None

    async def send(self, message: RenderedMessage) -> ProviderAnswer:
        if self.error is not None:
            raise self.error
        return await super().send(message)


def message(address: str = "anna@shop.example") -> RenderedMessage:
    return RenderedMessage(
        key="k", customer="c", address=address, purpose="service", subject="", text="t", at=NOON
    )


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ProviderRefusedError("550 no anna@shop.example here"), "refused, bounced: 550 no <address> here"),
        (ProviderBusyError("421 later", retry_after=timedelta(minutes=1)), "not taken now: 421 later"),
        (UnknownOutcomeError("hung up"), "in doubt: hung up"),
        (KeyError("a secret thing"), "it did not answer: KeyError"),
    ],
)  # fmt: skip
async def test_a_failure_is_told_without_the_address_and_whoever_sends_sees_it_too(
    error: Exception, words: str
) -> None:
    news, channel = News(), Failing()
    channel.error = error
    watch = ChannelWatch(news, lambda: NOON)
    [watched] = watch.over({"email": channel}).values()

    with pytest.raises(type(error)):
        await watched.send(message())
    await watch.round()

    assert news.kept == [ChannelNews(channel=channel.name, failed_at=NOON, failed_why=words)]


async def test_what_could_not_be_told_is_told_by_the_next_round_and_once() -> None:
    news, watch_of = News(), RecordingChannel()
    watch = ChannelWatch(news, lambda: NOON)
    [watched] = watch.over({"email": watch_of}).values()
    await watched.send(message())
    news.away = True

    with pytest.raises(ConnectionError):
        await watch.round()
    news.away = False
    await watch.round()
    await watch.round()

    assert news.kept == [ChannelNews(channel=watch_of.name, sent_at=NOON)]


@pytest.mark.parametrize(
    ("words", "address", "shown"),
    [
        ("550 5.1.1 <Anna@Shop.example>: unknown", "anna@shop.example", "550 5.1.1 <<address>>: unknown"),
        ("21211 +420 777 123 456 is no number", "+420777123456", "21211 <number> is no number"),
        ("no token fcm:abc here", "fcm:abc", "no token <address> here"),
        ("ben@other.example too", "", "<address> too"),
        ("a\nb" + "x" * 500, "", "a b" + "x" * 297),
    ],
)  # fmt: skip
def test_words_of_providers_are_kept_without_where_somebody_is_reached(
    words: str, address: str, shown: str
) -> None:
    assert without_addresses(words, address) == shown
