"""Who sends mail, and whose feedback is taken, is told in settings; what is wrong is named with its remedy."""

import base64
from pathlib import Path

import pytest

from channels.unsubscribe_link import UnsubscribeLinks
from tests.unit.channels.sns_sender import TOPIC
from tests.unit.channels.test_feedback_signatures import SENDGRID_KEY
from workers.api import inbound_sns
from workers.feedback_sources import feedback_sources
from workers.mail_channel import mail_channel
from workers.settings import ApiSettings, DeliverySettings, SettingsError, read_settings

LINKS = UnsubscribeLinks("https://journeys.example", b"s" * 32)
WHOLE = {
    "CLEW_DATABASE_URL": "postgresql:///clew",
    "CLEW_UNENCRYPTED": '["relay", "temporal"]',
    "TEMPORAL_ADDRESS": "temporal:7233",
    "CLEW_MAIL_FROM": "Clew <hello@example.com>",
    "CLEW_SECRET": "s" * 32,
    "CLEW_PUBLIC_URL": "https://journeys.example.com",
}
FILES = (
    *("CLEW_SECRET", "CLEW_SENDGRID_API_KEY", "CLEW_POSTMARK_TOKEN", "CLEW_TWILIO_AUTH_TOKEN"),
)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("CLEW_SMTP_URL", "CLEW_MAIL_BY", *(f"{each}_FILE" for each in FILES)):
        monkeypatch.delenv(name, raising=False)
    for name, value in WHOLE.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.mark.parametrize(
    ("by", "needs", "kind"),
    [
        ("smtp", {"CLEW_SMTP_URL": "smtp://relay"}, "SmtpChannel"),
        ("ses", {"CLEW_SES_REGION": "eu-west-1"}, "SesChannel"),
        ("sendgrid", {"CLEW_SENDGRID_API_KEY": "SG.x"}, "SendGridChannel"),
        ("postmark", {"CLEW_POSTMARK_TOKEN": "t"}, "PostmarkChannel"),
    ],
)
async def test_mail_goes_by_whom_the_settings_name_once_they_have_what_it_needs(
    told: pytest.MonkeyPatch, by: str, needs: dict[str, str], kind: str
) -> None:
    told.setenv("CLEW_MAIL_BY", by)
    (name,) = needs
    with pytest.raises(SettingsError, match=f"{name} is not set. "):
        read_settings(DeliverySettings)

    told.setenv(name, needs[name])
    channel = mail_channel(read_settings(DeliverySettings), LINKS)

    assert type(channel).__name__ == kind
    assert (channel.name, channel.provider) == ("email", by)
    await channel.close()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("CLEW_MAIL_BY", "pigeon", "CLEW_MAIL_BY"),
        ("CLEW_SES_REGION", "Ireland", "CLEW_SES_REGION"),
        ("CLEW_SES_ACCESS_KEY_ID", "AKIA", "both or neither"),
        ("CLEW_SENDGRID_REGION", "moon", "CLEW_SENDGRID_REGION"),
    ],
)
def test_a_wrong_setting_of_mail_is_named(
    told: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    told.setenv("CLEW_SMTP_URL", "smtp://relay")
    told.setenv(name, value)

    with pytest.raises(SettingsError, match=said):
        read_settings(DeliverySettings)


def test_any_secret_may_come_from_a_file(told: pytest.MonkeyPatch, tmp_path: Path) -> None:
    told.setenv("CLEW_MAIL_BY", "sendgrid")
    (tmp_path / "key").write_text("SG.from-a-file\n")
    told.setenv("CLEW_SENDGRID_API_KEY_FILE", str(tmp_path / "key"))

    key = read_settings(DeliverySettings).sendgrid_api_key
    assert key is not None
    assert key.get_secret_value() == "SG.from-a-file"

    told.setenv("CLEW_SENDGRID_API_KEY_FILE", str(tmp_path / "none"))
    with pytest.raises(SettingsError, match="CLEW_SENDGRID_API_KEY_FILE: No such file"):
        read_settings(DeliverySettings)


def test_only_providers_whose_proof_is_told_may_report(told: pytest.MonkeyPatch) -> None:
    assert feedback_sources(read_settings(ApiSettings)) == {}

    told.setenv("CLEW_SES_TOPIC", TOPIC)
    told.setenv("CLEW_SENDGRID_VERIFICATION_KEY", SENDGRID_KEY)
    told.setenv("CLEW_POSTMARK_FEEDBACK_SECRET", "f" * 16)
    told.setenv("CLEW_TWILIO_AUTH_TOKEN", "topsecret")
    told.setenv("CLEW_FEEDBACK_SECRET", f"whsec_{base64.b64encode(b'k' * 24).decode()}")

    read = read_settings(ApiSettings)
    assert set(feedback_sources(read)) == {"ses", "sendgrid", "postmark", "twilio", "own"}
    assert "f" * 16 not in repr(read)
    assert "topsecret" not in repr(read)


def test_the_door_for_mail_that_ses_receives_opens_with_its_topic(
    told: pytest.MonkeyPatch,
) -> None:
    assert inbound_sns(read_settings(ApiSettings)) is None

    told.setenv("CLEW_INBOUND_SES_TOPIC", TOPIC)

    assert inbound_sns(read_settings(ApiSettings)) is not None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CLEW_SES_TOPIC", "ses-feedback"),
        ("CLEW_INBOUND_SES_TOPIC", "ses-mail"),
        ("CLEW_SENDGRID_VERIFICATION_KEY", "SG.key"),
        ("CLEW_POSTMARK_FEEDBACK_SECRET", "short"),
        ("CLEW_FEEDBACK_SECRET", "whsec_c2hvcnQ="),
        ("CLEW_FEEDBACK_SECRET", "whsec_%%%"),
    ],
)
def test_a_proof_that_is_none_is_named_at_the_start(
    told: pytest.MonkeyPatch, name: str, value: str
) -> None:
    told.setenv(name, value)

    with pytest.raises(SettingsError, match=name):
        read_settings(ApiSettings)
