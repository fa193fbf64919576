"""Lines that are slow, cut or broken cost time and nothing else: before PostgreSQL, Temporal and the relay.

CLEW_NETWORK_SECONDS, CLEW_NETWORK_ROUNDS and CLEW_NETWORK_RATE set the size of the full run.
"""

import json
import os
from pathlib import Path

import pytest

from tests.faults.poor_network import Cut, Wish, cut
from tests.faults.test_a_killed_day import SEED, SHOWN

SECONDS = float(os.environ.get("CLEW_NETWORK_SECONDS", "15"))
ROUNDS = int(os.environ.get("CLEW_NETWORK_ROUNDS", "1"))
RATE = float(os.environ.get("CLEW_NETWORK_RATE", "6"))


def told(found: Cut) -> None:
    print(f"\n{json.dumps(found.figures())}", flush=True)
    for name in ("lost", "twice", "mailed_twice", "unmailed", "stuck", "left"):
        for words in getattr(found.outcome.broken, name)[:SHOWN]:
            print(f"  {name}: {words}", flush=True)
    for words in found.dishonest[:SHOWN]:
        print(f"  refused: {words}", flush=True)


@pytest.mark.needs("go")
@pytest.mark.timeout(540)
async def test_a_moment_of_each_fault_on_every_line_loses_nothing(state: Path) -> None:
    wish = Wish(per_second=4, seconds=0.5, rests=0.3, slow=0.3, seed=SEED, together=True)
    found = await cut(wish, state)
    told(found)
    assert found.holds
    assert set(found.done.values()) == {1}
    assert len(found.done) == 21


@pytest.mark.faults_full
@pytest.mark.needs("go")
@pytest.mark.timeout(2 * 3600)
async def test_each_fault_on_each_line_loses_nothing(state: Path) -> None:
    wish = Wish(per_second=RATE, seconds=SECONDS, slow=3, seed=SEED, rounds=ROUNDS)
    found = await cut(wish, state)
    told(found)
    assert found.holds
