"""How far behind the installation is, in seconds of the wall, also where the clock of its runs is another one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from contracts.clock import RunClock
from journey.effects import RunRecord
from stores.lags import LagStore
from tests.integration.stores.conftest import CART, NOW, Shop, added, touched

FAST = 500.0


@pytest.mark.parametrize("factor", [1.0, FAST])
async def test_a_day_of_long_ago_that_is_played_again_is_not_late(
    shop: Shop, factor: float
) -> None:
    wall = datetime.now(UTC)
    clock = RunClock(wall_epoch=wall, run_epoch=NOW, factor=factor)
    happened = clock.now(wall - timedelta(seconds=2))

    await shop.arrives(replace(touched("Flight Delayed", "m-1"), timestamp=happened), "c_anna")

    lags = await LagStore(shop.pool, clock).lags(wall)
    assert 2 <= lags.ingest < 60
    assert lags.pending == 1


@pytest.mark.parametrize("factor", [1.0, FAST])
async def test_a_timer_is_late_by_seconds_of_the_wall(shop: Shop, factor: float) -> None:
    wall = datetime.now(UTC)
    clock = RunClock(wall_epoch=wall, run_epoch=NOW, factor=factor)
    await shop.publish(CART)
    order = shop.order("cart", await shop.known(), added())
    run = shop.reference(order, await shop.enters(order))
    due = clock.now(wall - timedelta(seconds=3))
    await shop.records.write(run, RunRecord(sequence=9, at=NOW, stage="hesitating", wakes_at=due))

    lags = await LagStore(shop.pool, clock).lags(wall)

    assert lags.overdue == pytest.approx(3)
