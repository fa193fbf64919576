"""What each provider's own words for trouble mean: never reached, not now, or nobody can tell."""

from datetime import timedelta
from typing import Any

import pytest

from activities.message_channel import (
    AddressGoneError,
    ProviderBusyError,
    ProviderRefusedError,
    UnknownOutcomeError,
)
from channels import push, slack, twilio
from channels.phone_number import e164, is_region
from channels.provider_http import ProviderHttp, Told, without

PAUSE = timedelta(seconds=7)


def meant(error: Exception | None) -> str | None:
    """The kind of an error and, of a refusal, its reason."""
    match error:
        case AddressGoneError():
            return "gone"
        case ProviderRefusedError(reason=reason):
            return reason
        case ProviderBusyError():
            return "busy"
        case UnknownOutcomeError():
            return "unknown"
        case _:
            return None


@pytest.mark.parametrize(
    ("status", "code", "means"),
    [
        (400, 21211, "unreachable"),
        (400, 21614, "unreachable"),
        (400, 21610, "suppressed"),
        (400, 21612, "busy"),
        (400, 21408, "busy"),
        (400, 21606, "busy"),
        (400, 21611, "busy"),
        (400, 63003, "unreachable"),
        (400, 63016, "needs_template"),
        (400, 21617, "bounced"),
        (400, 99999, "bounced"),
        (429, 20429, "busy"),
        (429, 63018, "busy"),
        (401, 20003, "busy"),
        (500, 20500, "busy"),
        (503, 20503, "busy"),
        (500, 99999, None),
        (403, 99999, None),
    ],
)
def test_twilios_codes(status: int, code: int, means: str | None) -> None:
    told = Told(status=status, body={"code": code, "message": "no +420601123456", "status": status})

    error = twilio.failure(told, "+420601123456")

    assert meant(error) == means
    if error is not None:
        assert str(error).startswith(f"{code} no …")


def test_a_window_that_is_shut_names_the_remedy() -> None:
    told = Told(status=400, body={"code": 63016, "message": "Outside of the window."})

    assert "give the message an approved template" in str(twilio.failure(told))


def fcm(status: int, name: str, code: str | None = None, **more: Any) -> Told:
    details: list[dict[str, Any]] = [{"@type": "…FcmError", "errorCode": code}] if code else []
    if more:
        details.append({"@type": "type.googleapis.com/google.rpc.BadRequest", **more})
    error = {"code": status, "message": "about t0k3n", "status": name, "details": details}
    return Told(status=status, body={"error": error})


@pytest.mark.parametrize(
    ("told", "means"),
    [
        (fcm(404, "NOT_FOUND", "UNREGISTERED"), "gone"),
        (fcm(403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH"), "unreachable"),
        (
            fcm(
                400,
                "INVALID_ARGUMENT",
                "INVALID_ARGUMENT",
                fieldViolations=[{"field": "message.token", "description": "Invalid"}],
            ),
            "gone",
        ),
        (fcm(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT"), "not_taken"),
        (fcm(400, "INVALID_ARGUMENT"), "not_taken"),
        (fcm(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED"), "busy"),
        (fcm(503, "UNAVAILABLE", "UNAVAILABLE"), "busy"),
        (fcm(401, "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR"), "busy"),
        (fcm(500, "INTERNAL", "INTERNAL"), None),
        (fcm(401, "UNAUTHENTICATED"), None),
        (Told(status=502), None),
        (Told(status=400, body={"error": {"details": "?"}}), None),
    ],
)
def test_fcms_codes(told: Told, means: str | None) -> None:
    error = push.failure(told, "t0k3n")

    assert meant(error) == means
    assert "t0k3n" not in str(error)


def test_fcm_wants_a_minute_where_it_does_not_say_how_long() -> None:
    error = push.failure(fcm(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED"), "tok")

    assert isinstance(error, ProviderBusyError)
    assert error.retry_after == timedelta(minutes=1)


@pytest.mark.parametrize(
    ("error", "means"),
    [
        ("channel_not_found", "unreachable"),
        ("is_archived", "unreachable"),
        ("not_in_channel", "unreachable"),
        ("msg_too_long", "not_taken"),
        ("ratelimited", "busy"),
        ("invalid_auth", "busy"),
        ("token_revoked", "busy"),
        ("missing_scope", "busy"),
        ("an_error_of_next_year", "busy"),
        ("fatal_error", "unknown"),
        ("internal_error", "unknown"),
        (None, "busy"),
    ],
)
def test_slacks_errors(error: str | None, means: str) -> None:
    assert meant(slack.failure(Told(status=200, body={"ok": False, "error": error}))) == means


@pytest.mark.parametrize(
    ("status", "means", "where_repeats_are_known"),
    [
        (302, "bounced", "bounced"),
        (400, "bounced", "bounced"),
        (401, "busy", "busy"),
        (403, "busy", "busy"),
        (404, "bounced", "bounced"),
        (408, "busy", "busy"),
        (413, "bounced", "bounced"),
        (425, "busy", "busy"),
        (429, "busy", "busy"),
        (500, "unknown", "busy"),
        (502, "unknown", "busy"),
        (503, "unknown", "busy"),
    ],
)
async def test_a_status_without_words(
    status: int, means: str, where_repeats_are_known: str
) -> None:
    http = ProviderHttp("the provider")
    told = Told(status=status, retry_after=PAUSE)

    assert meant(http.failed(told)) == means
    assert meant(http.failed(told, deduplicates=True)) == where_repeats_are_known
    await http.close()


def test_a_pause_that_is_asked_for_is_kept() -> None:
    error = twilio.failure(
        Told(status=429, body={"code": 20429, "message": "slow"}, retry_after=PAUSE)
    )

    assert isinstance(error, ProviderBusyError)
    assert error.retry_after == PAUSE


def test_what_is_the_customers_is_not_in_a_providers_words() -> None:
    assert without("To +4206011 and\n+420601", "+420601", "+4206011", "") == "To … and …"


@pytest.mark.parametrize(
    ("text", "region", "number"),
    [
        ("+420601123456", None, "+420601123456"),
        ("601123456", "CZ", "+420601123456"),
        ("601123456", None, None),
        ("tel:+420-601-123-456", None, "+420601123456"),
        ("not a number", "CZ", None),
    ],
)
def test_numbers(text: str, region: str | None, number: str | None) -> None:
    assert e164(text, region) == number
    assert is_region("CZ")
    assert not is_region("Czechia")
