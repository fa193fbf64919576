"""Whatever is asked for: never too many, never at night, never against a no, and always the true reason."""

from collections.abc import AsyncIterator
from itertools import count

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from stores.database import Pool, open_pool
from tests.integration.delivery.any_town import Town, towns
from tests.integration.delivery.lived_town import SENDERS, LivedTown
from tests.integration.delivery.towns_of_one_rule import TOWNS

SLOW = [
    HealthCheck.function_scoped_fixture,
    HealthCheck.too_slow,
    HealthCheck.data_too_large,
]
"""Towns are large, and all of one test live in one database, none knowing of another."""

FEW = settings(
    max_examples=3,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],  # to make a town smaller takes minutes
    suppress_health_check=SLOW,
)
MANY = settings(max_examples=600, suppress_health_check=SLOW)

numbers = count(1)


@pytest_asyncio.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    opened = await open_pool(database, most=SENDERS + 2)
    yield opened
    await opened.close()


async def is_right_in(pool: Pool, town: Town) -> None:
    living = LivedTown(pool, town, next(numbers))
    await living.settle_in()
    await living.live()


@pytest.mark.parametrize("rule", TOWNS)
@FEW
@given(data=st.data())
async def test_where_one_rule_decides_it_is_kept(
    pool: Pool, rule: str, data: st.DataObject
) -> None:
    await is_right_in(pool, data.draw(TOWNS[rule], label="town"))


@FEW
@given(town=towns)
async def test_whatever_is_asked_for_each_customer_gets_what_they_allow_and_the_true_reason_is_kept(
    pool: Pool, town: Town
) -> None:
    await is_right_in(pool, town)


@pytest.mark.faults_full
@MANY
@given(town=st.one_of(towns, *TOWNS.values()))
async def test_the_same_for_many_more_towns(pool: Pool, town: Town) -> None:
    await is_right_in(pool, town)
