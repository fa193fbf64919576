"""OWASP API Security 2023, API2. Broken authentication: only what was given out opens a door, as it was given out, until it is revoked."""

# ruff: noqa: E501 -- names of tests

import pytest
from pydantic import SecretStr
from starlette.requests import Request

from api.refusals import RefusedRequestError
from api.staff_key import StaffKeyCheck
from tests.security.standing import stand
from workers.settings import ApiSettings, CodecSettings, SettingsError, read_settings


def test_what_shows_it_stands() -> None:
    assert stand(
        "tests/security/test_role_matrix.py::test_whoever_may_not_is_refused_and_changes_nothing",
        "tests/integration/cli/test_write_keys.py::test_a_revoked_key_is_refused_within_five_seconds",
        "tests/security/test_webhooks.py::test_what_it_did_not_sign_just_now_is_refused_and_changes_nothing",
        "tests/security/test_codec_doors.py::test_a_stranger_reads_nothing_whatever_they_send",
        "tests/integration/inbox/test_login.py::test_whoever_does_nothing_or_stays_too_long_is_out",
        "tests/integration/inbox/test_second_factor.py::test_the_password_alone_opens_nothing",
    )


@pytest.mark.parametrize(
    "sent",
    [
        "Bearer  a-token-of-staff",
        "Bearer a-token-of-staff ",
        "Bearer A-token-of-staff",
        "a-token-of-staff",
    ],
)
async def test_a_token_counts_as_it_came(sent: str) -> None:
    request = Request(
        {"type": "http", "method": "GET", "headers": [(b"authorization", sent.encode())]}
    )
    with pytest.raises(RefusedRequestError) as refusal:
        await StaffKeyCheck("a-token-of-staff").check(request)
    assert refusal.value.status == 401


def test_a_token_that_could_be_guessed_is_not_taken() -> None:
    given = {"database_url": "postgresql:///x", "secret": SecretStr("s" * 32)}
    for kind in (ApiSettings, CodecSettings):
        with pytest.raises(SettingsError, match="CLEW_STAFF_TOKEN"):
            read_settings(kind, {**given, "staff_token": SecretStr("fifteen letters")})
