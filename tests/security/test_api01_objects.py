"""OWASP API Security 2023, API1. Broken object level authorization: whoever may come in sees and changes what is theirs, and nothing of others."""

# ruff: noqa: E501 -- names of tests

from tests.security.conftest import Doors
from tests.security.standing import stand


def test_what_shows_it_stands() -> None:
    assert stand(
        "tests/security/test_role_matrix.py::test_a_link_shows_its_own_customer_and_no_other",
        "tests/integration/api/test_inbox.py::test_no_token_opens_another_customers_inbox",
        "tests/integration/api/test_inbox.py::test_what_is_not_there_cannot_be_read",
        "tests/integration/api/test_customer_pages.py::test_a_link_opens_only_the_page_that_it_was_made_for",
    )


async def test_a_device_is_forgotten_by_whose_it_is_and_by_nobody_else(doors: Doors) -> None:
    key = {"Authorization": f"Bearer {doors.tokens['devices key']}"}
    device = {"channel": "push", "token": "of-anna-alone"}
    path = "/v1/customers/{}/devices"
    seen = await doors.client.put(path.format("anna"), json=device, headers=key)

    foreign = await doors.client.request("DELETE", path.format("ben"), json=device, headers=key)
    own = await doors.client.request("DELETE", path.format("anna"), json=device, headers=key)

    assert (seen.status_code, foreign.status_code, own.status_code) == (200, 404, 200)
