"""OWASP API Security 2023, API5. Broken function level authorization: each door asks for a role, and each role is tried at each door."""

# ruff: noqa: E501 -- names of tests

from api.doors import DOORS
from tests.security.standing import stand


def test_what_shows_it_stands() -> None:
    assert stand(
        "tests/security/test_role_matrix.py::test_every_route_has_a_rule_and_every_rule_a_route",
        "tests/security/test_role_matrix.py::test_whoever_may_not_is_refused_and_changes_nothing",
        "tests/security/test_role_matrix.py::test_whoever_may_comes_in_and_a_get_changes_nothing",
        "tests/security/test_codec_doors.py::test_a_program_reads_histories_as_far_as_its_role_goes",
        "tests/security/test_codec_doors.py::test_a_member_reads_histories_as_far_as_their_role_goes",
    )


def test_what_changes_something_for_staff_asks_for_more_than_reading() -> None:
    changing = [door for door in DOORS if door.proof == "staff" and door.changes]
    assert len(changing) > 10
    assert [door.path for door in changing if door.role == "viewer"] == []
