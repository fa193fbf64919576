"""An installation has the channels whose settings it was given, and says what is missing of the others."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from channels.unsubscribe_link import UnsubscribeLinks
from channels.vapid import new_pair
from journey.channels import CHANNELS
from stores.database import open_pool
from tests.integration.channels.vendors.fcm import Fcm
from workers.channel_settings import ChannelSettings, VapidSettings
from workers.channels import channels_of
from workers.process_settings import ProcessSettings
from workers.settings import SettingsError, read_settings

LINKS = UnsubscribeLinks("https://journeys.example", b"s" * 32)
TWILIO = {
    "TWILIO_ACCOUNT": "AC" + "0" * 32,
    "TWILIO_AUTH_TOKEN": "of the account",
}
ACCOUNT = json.dumps(Fcm().account)
SETTINGS: dict[str, dict[str, str]] = {
    "sms": {**TWILIO, "TWILIO_SMS_FROM": "+420800123456", "PHONE_REGION": "CZ"},
    "whatsapp": {**TWILIO, "TWILIO_WHATSAPP_FROM": "+420800123456"},
    "push": {"FCM_ACCOUNT": ACCOUNT},
    "webpush": {"VAPID_KEY": new_pair()[0], "VAPID_CONTACT": "mailto:care@air.example"},
    "slack": {"SLACK_TOKEN": "xoxb-not-a-token"},
    "webhook": {"WEBHOOK_SECRET": "w" * 32, "CALLS_HOSTS": '["hooks.example.com"]'},
    "inbox": {"INBOX": "on"},
    "apprise": {"APPRISE_SERVICES": '["json"]', "CALLS_HOSTS": '["*"]'},
}


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ChannelSettings.model_fields:
        monkeypatch.delenv(f"CLEW_{name.upper()}", raising=False)


def given(monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]) -> ChannelSettings:
    for name, value in settings.items():
        monkeypatch.setenv(f"CLEW_{name}", value)
    return read_settings(ChannelSettings)


async def made(settings: ChannelSettings, database: str) -> dict[str, str]:
    """Channel → who carries it."""
    pool = await open_pool(database)
    channels = channels_of(
        settings,
        LINKS,
        pool,
        lambda: datetime.now(UTC),
        public_url="https://journeys.example/",
    )
    for channel in channels:
        await channel.close()
    await pool.close()
    return {channel.name: channel.provider for channel in channels}


async def test_each_channel_is_on_where_its_own_settings_are(
    monkeypatch: pytest.MonkeyPatch, database: str
) -> None:
    assert await made(read_settings(ChannelSettings), database) == {}
    for name, settings in SETTINGS.items():
        with monkeypatch.context() as alone:
            assert list(await made(given(alone, settings), database)) == [name]


async def test_an_installation_may_have_them_all(
    monkeypatch: pytest.MonkeyPatch, database: str
) -> None:
    everything = {name: value for each in SETTINGS.values() for name, value in each.items()}

    carried_by = await made(given(monkeypatch, everything), database)

    assert {"email", *carried_by} == set(CHANNELS)
    assert (carried_by["sms"], carried_by["whatsapp"]) == ("twilio", "twilio")
    assert carried_by["push"] == "fcm"


def _without(name: str, *left_out: str) -> dict[str, str]:
    return {key: value for key, value in SETTINGS[name].items() if key not in left_out}


def _wrong() -> Iterator[tuple[dict[str, str], str]]:
    yield _without("sms", "TWILIO_ACCOUNT"), "CLEW_TWILIO_ACCOUNT: set it"
    yield _without("sms", "TWILIO_AUTH_TOKEN"), "CLEW_TWILIO_AUTH_TOKEN: set it, or CLEW_TWILIO_API"
    yield {**SETTINGS["sms"], "PHONE_REGION": "Czechia"}, "CLEW_PHONE_REGION: write the two letters"
    yield {"FCM_ACCOUNT": "/etc/fcm.json"}, "CLEW_FCM_ACCOUNT: write the JSON"
    yield {"FCM_ACCOUNT": "{}"}, "CLEW_FCM_ACCOUNT: the service account has no project_id"
    yield _without("webpush", "VAPID_CONTACT"), "CLEW_VAPID_CONTACT: with CLEW_VAPID_KEY"
    yield {**SETTINGS["webpush"], "VAPID_KEY": "short"}, "clew vapid-key makes one"
    yield {"WEBHOOK_SECRET": "short"}, "CLEW_WEBHOOK_SECRET: needs 32 characters"
    yield {"WEBHOOK_SECRET": "w" * 32}, "CLEW_CALLS_HOSTS: name the hosts"
    yield {"INBOX": "yes"}, "CLEW_INBOX: "
    yield {"APPRISE_SERVICES": "json"}, "expected JSON"


@pytest.mark.parametrize(("settings", "words"), list(_wrong()))
def test_what_is_wrong_is_told_with_its_remedy_and_without_the_secret(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], words: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        given(monkeypatch, settings)

    assert words in str(refused.value)
    assert "of the account" not in str(refused.value)


def test_a_secret_may_stand_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "fcm.json"
    file.write_text(ACCOUNT)

    settings = given(monkeypatch, {"FCM_ACCOUNT_FILE": str(file)})

    assert settings.fcm_project() == json.loads(ACCOUNT)["project_id"]
    with pytest.raises(SettingsError, match="CLEW_SLACK_TOKEN_FILE: No such file"):
        given(monkeypatch, {"SLACK_TOKEN_FILE": str(tmp_path / "nowhere")})


@pytest.mark.parametrize("kind", [ChannelSettings, VapidSettings])
def test_every_setting_of_channels_is_documented(kind: Any) -> None:
    assert [name for name, field in kind.model_fields.items() if not field.description] == []


def test_every_setting_of_channels_is_on_the_page_about_them() -> None:
    page = (Path(__file__).parents[3] / "docs/channels.md").read_text()
    everywhere = set(ProcessSettings.model_fields)

    told = [f"`CLEW_{name.upper()}" for name in ChannelSettings.model_fields.keys() - everywhere]

    assert [name for name in told if name not in page] == []
    assert [channel for channel in CHANNELS if f"| `{channel}` |" not in page] == []
