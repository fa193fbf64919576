"""OWASP API Security 2023, API10. Unsafe consumption of APIs: what services and providers answer is bounded, checked, and never unpacked."""

# ruff: noqa: E501 -- names of tests

from tests.security.standing import stand


def test_what_shows_it_stands() -> None:
    assert stand(
        "tests/integration/channels/test_http_call_limits.py::test_an_answer_that_is_too_large_is_refused_before_it_is_read",
        "tests/integration/channels/test_http_call_limits.py::test_an_answer_is_never_unpacked",
        "tests/integration/channels/test_http_call_limits.py::test_a_service_that_never_comes_to_an_end_is_cut_off",
        "tests/security/test_webhooks.py::test_what_it_did_not_sign_just_now_is_refused_and_changes_nothing",
    )
