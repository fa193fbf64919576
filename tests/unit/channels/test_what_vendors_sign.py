"""What vendors sign, by the examples that they publish themselves."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest

from channels.slack_inbound import challenge_of, is_slacks, read_event
from channels.twilio_signature import is_signed

# https://www.twilio.com/docs/usage/security#validating-requests
TWILIO_TOKEN = "12345"
TWILIO_URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
TWILIO_FIELDS = {
    "CallSid": "CA1234567890ABCDE",
    "Caller": "+12349013030",
    "Digits": "1234",
    "From": "+12349013030",
    "To": "+18005551212",
}
TWILIO_SIGNATURE = "0/KCTR6DLpKmkAf8muzZqo1nDgQ="

# https://docs.slack.dev/authentication/verifying-requests-from-slack
SLACK_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
SLACK_TIME = "1531420618"
SLACK_BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
    b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554"
    b"%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
SLACK_SIGNATURE = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
THEN = datetime.fromtimestamp(int(SLACK_TIME), UTC)


def test_twilios_own_example_is_signed() -> None:
    assert is_signed(TWILIO_TOKEN, TWILIO_URL, TWILIO_FIELDS.items(), TWILIO_SIGNATURE)


@pytest.mark.parametrize(
    "forged",
    [
        {"auth_token": "12346"},
        {"url": "https://mycompany.com/myapp.php?foo=1&bar=3"},
        {"url": "https://elsewhere.example/myapp.php?foo=1&bar=2"},
        {"fields": {**TWILIO_FIELDS, "Digits": "9999"}.items()},
        {"fields": [*TWILIO_FIELDS.items(), ("More", "")]},
        {"given": TWILIO_SIGNATURE[:-2] + "A="},
        {"given": ""},
        {"given": "ü\udc80"},
    ],
)
def test_what_twilio_did_not_sign_is_refused(forged: dict[str, object]) -> None:
    given: dict[str, object] = {
        "auth_token": TWILIO_TOKEN,
        "url": TWILIO_URL,
        "fields": TWILIO_FIELDS.items(),
        "given": TWILIO_SIGNATURE,
        **forged,
    }

    assert not is_signed(**given)  # pyright: ignore[reportArgumentType] -- the names are its own


def test_twilio_signs_an_address_with_its_port_or_without() -> None:
    with_port = TWILIO_URL.replace(".com/", ".com:443/")

    assert is_signed(TWILIO_TOKEN, with_port, TWILIO_FIELDS.items(), TWILIO_SIGNATURE)


def test_slacks_own_example_is_signed() -> None:
    assert is_slacks(SLACK_SECRET, SLACK_TIME, SLACK_BODY, SLACK_SIGNATURE, THEN)


@pytest.mark.parametrize("late", [timedelta(minutes=6), timedelta(minutes=-6)])
def test_what_slack_signed_long_ago_is_played_again_by_somebody(late: timedelta) -> None:
    assert not is_slacks(SLACK_SECRET, SLACK_TIME, SLACK_BODY, SLACK_SIGNATURE, THEN + late)


@pytest.mark.parametrize("stamp", [SLACK_TIME, "", "x", "1" * 30, "-1", "١٥"])
def test_what_slack_did_not_sign_is_refused(stamp: str) -> None:
    for body, signature in [(SLACK_BODY + b" ", SLACK_SIGNATURE), (SLACK_BODY, ""), (b"", "v0=é")]:
        assert not is_slacks(SLACK_SECRET, stamp, body, signature, THEN)


def test_a_time_that_is_none_is_refused_though_signed() -> None:
    for stamp in ("9" * 13, "x"):
        made = hmac.new(SLACK_SECRET.encode(), f"v0:{stamp}:".encode(), hashlib.sha256).hexdigest()
        assert not is_slacks(SLACK_SECRET, stamp, b"", f"v0={made}", THEN)


def event(**said: object) -> dict[str, object]:
    told = {
        "type": "message",
        "channel_type": "im",
        "user": "U012AB3CD",
        "channel": "D0123",
        "ts": "1700000000.000100",
        "text": "Where is <https://air.example/b|my bag> &amp; <@U999>coat?",
    }
    return {"type": "event_callback", "team_id": "T1", "event": {**told, **said}}


def test_what_a_person_writes_in_slack_is_read_as_they_wrote_it() -> None:
    message = read_event(event(thread_ts="1699999999.000200"), THEN)

    assert message is not None
    assert message.text == "Where is my bag & coat?"
    assert (message.reply, message.address) == ("slack-T1-D0123-1700000000.000100", "U012AB3CD")
    assert message.answers == ("D0123/1699999999.000200",)


@pytest.mark.parametrize(
    "said",
    [
        {"bot_id": "B1"},
        {"subtype": "message_changed"},
        {"subtype": "bot_message"},
        {"channel_type": "channel"},
        {"type": "reaction_added"},
        {"user": None},
        {"ts": "now"},
    ],
)
def test_what_nobody_wrote_to_us_is_left_in_slack(said: dict[str, object]) -> None:
    assert read_event(event(**said), THEN) is None


def test_slack_hears_its_challenge_back() -> None:
    assert challenge_of({"type": "url_verification", "challenge": "3eZbrw"}) == "3eZbrw"
    assert challenge_of(event()) is None
