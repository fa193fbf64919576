"""OWASP API Security 2023, API7. Server side request forgery: what is called for somebody outside is looked up, checked and pinned."""

# ruff: noqa: E501 -- names of tests

from tests.security.standing import stand


def test_what_shows_it_stands() -> None:
    assert stand(
        "tests/integration/channels/test_http_call_limits.py::test_a_private_address_is_not_called_however_it_is_written",
        "tests/integration/channels/test_http_call_limits.py::test_the_address_that_was_checked_is_the_one_that_is_called",
        "tests/integration/channels/test_http_call_limits.py::test_nobody_is_led_elsewhere",
    )
