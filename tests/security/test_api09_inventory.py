"""OWASP API Security 2023, API9. Improper inventory management: every door is in the table, the table is the document, the document is published."""

# ruff: noqa: E501 -- names of tests

from tests.security.standing import stand


def test_what_shows_it_stands() -> None:
    assert stand(
        "tests/security/test_role_matrix.py::test_every_route_has_a_rule_and_every_rule_a_route",
        "tests/security/test_fuzz.py::test_the_document_that_is_served_is_the_one_that_is_published",
        "tests/security/test_codec_doors.py::test_every_route_of_it_is_tried_here",
        "tests/security/test_audit_coverage.py::test_every_command_is_known_to_change_something_or_nothing",
    )
