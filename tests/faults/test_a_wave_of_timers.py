"""Ten thousand runs due in one second are all told, none twice, and ingest answers meanwhile.

CLEW_WAVE_TIMERS and CLEW_WAVE_RATE (begun a second) set the size (R8).
"""

import os
from pathlib import Path

import pytest

from tests.faults.test_a_killed_day import SHOWN
from tests.faults.timer_wave import Wish, drain
from tests.scorecard import keep

TIMERS = int(os.environ.get("CLEW_WAVE_TIMERS", "10000"))
RATE = float(os.environ.get("CLEW_WAVE_RATE", "25"))
RATIO = 3.0


@pytest.mark.faults_full
@pytest.mark.timeout(4 * 3600)
async def test_a_wave_of_timers_is_drained_and_ingest_answers_meanwhile(state: Path) -> None:
    drained = await drain(Wish(timers=TIMERS, per_second=RATE), state)
    slower = drained.ratio > RATIO
    why = f"ingest's p99 is {drained.ratio:.1f} times that before" if slower else ""
    keep("R8", drained.figures(), met=drained.outcome.holds and not slower, why=why)
    for words in (*drained.outcome.broken.stuck, *drained.outcome.broken.lost)[:SHOWN]:
        print(f"  {words}", flush=True)
    assert drained.outcome.holds
