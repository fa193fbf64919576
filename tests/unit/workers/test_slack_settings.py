"""Where in Slack staff see cases is told once, and a slip of the hand is told at the start."""

import pytest

from workers.settings import SettingsError, read_settings
from workers.slack_settings import SlackDeskSettings

TOKEN = "xoxb-of-the-tests"


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TOKEN", "CASES_CHANNEL", "CASES_CHANNELS"):
        monkeypatch.delenv(f"CLEW_SLACK_{name}", raising=False)


def test_without_a_channel_no_case_is_shown_in_slack(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_settings(SlackDeskSettings).slack_desk() is None
    monkeypatch.setenv("CLEW_SLACK_TOKEN", TOKEN)
    assert read_settings(SlackDeskSettings).slack_desk() is None
    assert read_settings(SlackDeskSettings).slack_calls() is not None


def test_channels_are_told_by_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEW_SLACK_TOKEN", TOKEN)
    monkeypatch.setenv("CLEW_SLACK_CASES_CHANNELS", '{"desk": "C012AB3CD"}')

    read = read_settings(SlackDeskSettings)

    assert read.slack_cases_channels == {"desk": "C012AB3CD"}
    assert read.slack_desk() is not None


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("CASES_CHANNEL", "#desk", "is not the id of a channel"),
        ("CASES_CHANNELS", '{"desk": "desk"}', "is not the id of a channel"),
        ("CASES_CHANNELS", "desk=C012AB3CD", "expected JSON"),
    ],
)
def test_a_channel_by_its_name_is_told(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    monkeypatch.setenv("CLEW_SLACK_TOKEN", TOKEN)
    monkeypatch.setenv(f"CLEW_SLACK_{name}", value)

    with pytest.raises(SettingsError, match=words):
        read_settings(SlackDeskSettings)


def test_a_channel_needs_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEW_SLACK_CASES_CHANNEL", "C012AB3CD")

    with pytest.raises(SettingsError, match="needs CLEW_SLACK_TOKEN"):
        read_settings(SlackDeskSettings)
