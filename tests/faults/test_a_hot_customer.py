"""A customer with very many touchpoints harms nobody: each counted once, told in few signals, neighbours served.

CLEW_FLOOD_TOUCHPOINTS, CLEW_FLOOD_PER_MINUTE and CLEW_FLOOD_NEIGHBOURS set the size (R7).
"""

import json
import os
from pathlib import Path

import pytest

from tests.faults.hot_customer import Wish, flood
from tests.faults.test_a_killed_day import SEED, SHOWN
from tests.scorecard import keep

TOUCHPOINTS = int(os.environ.get("CLEW_FLOOD_TOUCHPOINTS", "25000"))
PER_MINUTE = int(os.environ.get("CLEW_FLOOD_PER_MINUTE", "10000"))
NEIGHBOURS = int(os.environ.get("CLEW_FLOOD_NEIGHBOURS", "500"))
RATIO = 2.0


@pytest.mark.faults_full
@pytest.mark.timeout(3_600)
async def test_a_hot_customer_is_served_and_their_neighbours_as_well(state: Path) -> None:
    wish = Wish(touchpoints=TOUCHPOINTS, per_minute=PER_MINUTE, neighbours=NEIGHBOURS, seed=SEED)
    flooded = await flood(wish, state)
    slower = flooded.ratio > RATIO
    why = f"neighbours' p99 is {flooded.ratio:.1f} times that without" if slower else ""
    keep("R7", flooded.figures(), met=flooded.holds and not slower, why=why)
    for words in (*flooded.outcome.broken.lost, *flooded.outcome.broken.twice)[:SHOWN]:
        print(f"  {words}", flush=True)
    print(json.dumps(flooded.figures()))
    assert flooded.holds
