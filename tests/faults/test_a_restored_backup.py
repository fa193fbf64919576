"""Yesterday's backup of one database and today's other: nobody is written to twice, and what differs is listed."""

import json
from pathlib import Path

import pytest

from tests.faults.restored import Drill, Which
from tests.faults.test_a_killed_day import SHOWN

CUSTOMERS = 20


@pytest.mark.faults_full
@pytest.mark.timeout(2_400)
@pytest.mark.parametrize("which", ["ours", "temporal"])
async def test_a_restored_backup_sends_nothing_again_and_shows_what_differs(
    state: Path, which: Which
) -> None:
    found = await Drill(state, CUSTOMERS).restore(which)
    print(f"\n{which}: {json.dumps(found.figures())}", flush=True)
    for words in (*found.drift.stuck, *found.drift.lost)[:SHOWN]:
        print(f"  {words}", flush=True)
    half = CUSTOMERS // 2
    assert not found.sent_again
    assert found.sent_after - found.sent_before == found.served == half
    # Those who went on today, and those who came today: the two databases tell of them differently.
    assert len(found.drift.stuck) >= 2 * half
    assert found.lived_again == (half if which == "temporal" else 0)
