"""Running processes work with a role that owns nothing: whole journeys, cases, merges and erasure do, unchanged."""

import pytest_asyncio
from psycopg import conninfo

from stores.rights import OURS, give_rights
from tests.integration.conftest import Stack
from tests.integration.erasure.test_commands import (
    clew,
    test_a_customer_is_exported_and_erased_with_whoever_became_them_and_no_history_opens,
)
from tests.integration.test_staff_cases import (
    _queues,
    test_a_case_is_seen_with_its_deadline_and_ends_with_the_decision,
    test_a_case_nobody_takes_is_escalated_and_at_last_the_journey_goes_on_without,
    test_a_case_that_is_opened_again_has_a_clock_again,
)
from tests.integration.test_two_become_one import (
    test_the_mailbox_of_the_run_that_ends_comes_to_the_one_that_stays_exactly_once,
)
from tests.integration.test_whole_language import (
    test_a_call_is_signed_and_only_what_is_taken_is_kept,
    test_a_coupon_is_void_once_the_customer_buys_without_it,
    test_a_customer_enters_by_request_once_however_often_it_is_asked,
    test_an_answer_on_our_page_picks_the_way_and_stays_on_the_profile,
)
from workers.embedded.postgres_server import PostgresServer

__all__ = [
    "_queues",
    "clew",
    "test_a_call_is_signed_and_only_what_is_taken_is_kept",
    "test_a_case_is_seen_with_its_deadline_and_ends_with_the_decision",
    "test_a_case_nobody_takes_is_escalated_and_at_last_the_journey_goes_on_without",
    "test_a_case_that_is_opened_again_has_a_clock_again",
    "test_a_coupon_is_void_once_the_customer_buys_without_it",
    "test_a_customer_enters_by_request_once_however_often_it_is_asked",
    "test_a_customer_is_exported_and_erased_with_whoever_became_them_and_no_history_opens",
    "test_an_answer_on_our_page_picks_the_way_and_stays_on_the_profile",
    "test_the_mailbox_of_the_run_that_ends_comes_to_the_one_that_stays_exactly_once",
]

ROLE = "clew_running"


@pytest_asyncio.fixture(scope="module")
async def stack_database(postgres: PostgresServer, migrated_template: str) -> str:
    """All of this file's promises are kept on a database in which nobody who runs owns a table."""
    url = await postgres.create_database("clew_lesser", template=migrated_template)
    give_rights(url, ROLE, None, OURS)
    return conninfo.make_conninfo(url, user=ROLE)


async def test_the_stack_is_who_it_says(stack: Stack) -> None:
    [told] = await stack.rows(
        "select current_user::text as role, (select count(*) from pg_class c join pg_roles r"
        " on r.oid = c.relowner where r.rolname = current_user) as owned"
    )

    assert told == {"role": ROLE, "owned": 0}
