"""A day of flights survives `kill -9` of anything: nothing lost, nothing twice, nobody stuck.

A failure prints what does not hold. The day can be played again with its seed: CLEW_FAULTS_SEED.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.flown_day import Outcome, Wish, fly
from tests.faults.kills import KINDS

SHOWN = 25


@pytest.fixture
def state() -> Iterator[Path]:
    """A folder with a short path: a socket's name has little room. Kept where the test failed."""
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    yield folder
    if not os.environ.get("CLEW_FAULTS_KEEP"):
        shutil.rmtree(folder, ignore_errors=True)


def told(outcome: Outcome) -> None:
    print(f"\n{outcome.words()}\n{json.dumps(outcome.figures())}", flush=True)
    broken = outcome.broken
    for name in ("lost", "twice", "mailed_twice", "unmailed", "stuck", "left"):
        for words in getattr(broken, name)[:SHOWN]:
            print(f"  {name}: {words}", flush=True)


def survives(outcome: Outcome, kills: int) -> None:
    told(outcome)
    assert outcome.kills.total() == kills
    assert set(outcome.kills) == set(KINDS)
    assert outcome.broken.nothing
    assert outcome.account.balance()


SEED = int(os.environ.get("CLEW_FAULTS_SEED", "8"))


@pytest.mark.timeout(540)
async def test_a_small_day_survives_a_kill_of_each_kind(state: Path) -> None:
    wish = Wish(passengers=200, kills=6, seed=SEED, factor=900, settle_seconds=60)

    survives(await fly(wish, state), wish.kills)


@pytest.mark.faults_full
@pytest.mark.timeout(2_700)
async def test_a_day_of_thousands_survives_many_kills(state: Path) -> None:
    wish = Wish(passengers=2_000, kills=24, seed=SEED, factor=80, settle_seconds=180)

    survives(await fly(wish, state), wish.kills)
