"""OWASP API Security 2023, API6. Unrestricted access to sensitive business flows: a coupon, an entry and a message are each given once, whoever asks how often."""

# ruff: noqa: E501 -- names of tests

from tests.security.standing import stand


def test_what_shows_it_stands() -> None:
    assert stand(
        "tests/integration/api/test_ingest.py::test_the_same_batch_sent_many_times_at_once_counts_once",
        "tests/integration/api/test_inbox.py::test_what_is_read_and_followed_is_a_touchpoint_once",
        "tests/integration/api/test_held_data.py::test_a_request_to_be_forgotten_is_one_case_for_a_person",
        "tests/security/test_webhooks.py::test_what_the_provider_signed_is_taken_once",
    )
