"""OWASP API Security 2023, API3. Broken object property level authorization: a field that is not asked for is refused, and none is shown that opens something."""

# ruff: noqa: E501 -- names of tests

from api.openapi import openapi_document
from tests.security.standing import stand


def test_what_shows_it_stands() -> None:
    assert stand(
        "tests/security/test_role_matrix.py::test_what_is_not_asked_for_is_not_taken",
        "tests/integration/stores/test_write_keys.py::test_the_key_itself_is_nowhere_in_the_database",
        "tests/integration/cli/test_write_keys.py::test_a_key_is_followed_by_another_while_both_are_good",
    )


def test_of_staff_every_body_lists_its_fields_and_takes_no_other() -> None:
    paths = openapi_document()["paths"]
    bodies = [
        operation["requestBody"]["content"]["application/json"]["schema"]
        for methods in paths.values()
        for operation in methods.values()
        if operation.get("x-role")
        and "application/json" in operation.get("requestBody", {}).get("content", {})
    ]
    assert len(bodies) > 10
    assert [body for body in bodies if body["additionalProperties"] is not False] == []
