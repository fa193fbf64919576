"""While a deployment rolls, the code of the release before works on the tables of this one."""

import pytest

from tests.production.previous_release import STORES, previous, run_its_tests


def the_release_before() -> str:
    ref = previous()
    if ref is None:
        pytest.skip("no checkout with its history")
    return ref


@pytest.mark.faults_full
@pytest.mark.timeout(1_200)
def test_all_its_stores_work_on_the_new_tables() -> None:
    assert run_its_tests(the_release_before(), [STORES]) == 0
