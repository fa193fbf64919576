"""A day of flights survives `kill -9` of anything: nothing lost, nothing twice, nobody stuck.

A failure prints what does not hold. CLEW_FAULTS_SEED plays the kills of another seed;
CLEW_FAULTS_KEEP=1 keeps what is left, for `clew up --state FOLDER` to look at.
"""

import json
import os
from pathlib import Path

import pytest

from tests.faults.flown_day import Outcome, Wish, fly
from tests.faults.kills import KINDS

SHOWN = 25
SEED = int(os.environ.get("CLEW_FAULTS_SEED", "8"))


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


@pytest.mark.faults_full
@pytest.mark.timeout(1_800)
async def test_a_small_day_survives_a_kill_of_each_kind(state: Path) -> None:
    wish = Wish(passengers=200, kills=6, seed=SEED, factor=540, settle_seconds=120)

    survives(await fly(wish, state), wish.kills)


@pytest.mark.faults_full
@pytest.mark.timeout(3_000)
async def test_a_day_of_thousands_survives_many_kills(state: Path) -> None:
    wish = Wish(passengers=2_000, kills=24, seed=SEED, factor=60, settle_seconds=300)

    survives(await fly(wish, state), wish.kills)
