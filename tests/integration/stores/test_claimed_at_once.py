"""Sixteen members of staff claim one case at once: one of them has it, and the others are told who."""

import asyncio

import pytest

from stores.case_decisions import CaseAlreadyClaimedError
from stores.staff_opened_cases import NewCase, StaffOpenedCaseStore
from tests.integration.stores.conftest import Shop

CLAIMERS = 16


@pytest.mark.parametrize(
    "rounds", [20, pytest.param(1_000, marks=pytest.mark.faults_full)], ids=["few", "many"]
)
async def test_of_sixteen_who_claim_at_once_exactly_one_wins(shop: Shop, rounds: int) -> None:
    opened = StaffOpenedCaseStore(shop.pool)
    winners = set[str]()
    for number in range(rounds):
        new = NewCase(customer=f"+420777{number:06}", queue="desk", brief="Rang")
        case, _ = await opened.open_by_staff(new, by="eva")
        told = await asyncio.gather(
            *(shop.cases.claim(case.case, f"member-{n}") for n in range(CLAIMERS)),
            return_exceptions=True,
        )
        refused = [each for each in told if isinstance(each, CaseAlreadyClaimedError)]
        held = await shop.cases.case(case.case)
        assert held is not None
        assert len(refused) == CLAIMERS - 1
        assert {str(each) for each in refused} == {f"{held.claimed_by} has claimed this case"}
        winners.add(held.claimed_by or "")
    rows = await shop.rows("select count(*) as n from case_events where did = 'claimed'")
    assert rows[0]["n"] == rounds
    assert "" not in winners


async def test_of_many_who_open_a_case_for_one_caller_all_get_the_same(shop: Shop) -> None:
    opened = StaffOpenedCaseStore(shop.pool)
    new = NewCase(customer="+420 777 123 456", queue="desk", brief="Rang")
    told = await asyncio.gather(*(opened.open_by_staff(new, by=f"m{n}") for n in range(8)))
    assert len({case.case for case, _ in told}) == 1
    assert [is_new for _, is_new in told].count(True) == 1
