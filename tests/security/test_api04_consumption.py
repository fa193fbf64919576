"""OWASP API Security 2023, API4. Unrestricted resource consumption: bodies, batches, times, requests at once and messages a second are bounded."""

# ruff: noqa: E501 -- names of tests

from tests.security.standing import stand


def test_what_shows_it_stands() -> None:
    assert stand(
        "tests/integration/api/test_ingest.py::test_gzip_is_unpacked_and_a_gzip_bomb_is_not",
        "tests/integration/api/test_ingest.py::test_sizes_are_segments",
        "tests/integration/api/test_ingest.py::test_under_pressure_a_client_is_asked_to_come_again",
        "tests/unit/api/test_key_rates.py::test_who_sends_too_much_is_told_when_to_come_again",
        "tests/unit/api/test_key_rates.py::test_another_key_is_not_asked_to_wait",
        "tests/integration/cli/test_write_keys.py::test_a_key_that_sends_too_much_comes_again_and_another_does_not_wait",
        "tests/security/test_fuzz.py::test_whatever_is_sent_is_answered_as_the_document_says",
    )
