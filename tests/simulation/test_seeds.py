"""A seeded world in which everything goes wrong: whatever happens, the rules of a living installation hold.

A failure names its seed and the command that plays it again; it belongs into seeds.json until the end of time.
"""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from journey.steps import KINDS
from tests.scorecard import keep
from tests.simulation.life import lived
from tests.simulation.night import again, night
from tests.simulation.outside import OutsideWorld
from tests.simulation.post import Post

KEPT: dict[str, str] = json.loads((Path(__file__).parent / "seeds.json").read_text())
CI = 250
"""Half of what each change lives through; `test_more_seeds` has the other half, beside it. A seed takes 0.1 s."""

RARE = {"go", "signal to a closed run"}
"""What comes up later than in the seeds of CI."""

HAPPENINGS = {
    "Entered", "Arrived", "AlarmFired", "EffectFinished", "EffectFailed", "Moved", "Resumed",
    "Nudged",
    "ToldToLeave", "continued as new", "router died", "runs unreachable", "told again", "told late",
    "two became one", "handed back", "deployed", "attempt lost", "accepted and lost", "unknown",
    "quiet_until", "capped", "no_consent", "held_by", "outcome merged", "signal to a closed run",
}  # fmt: skip


@pytest.mark.parametrize("seed", KEPT, ids=lambda seed: seed)
def test_what_failed_once_holds(seed: str) -> None:
    told = lived(int(seed))

    assert told.faults == [], f"{KEPT[seed]}: {again(int(seed))}"


def holds(seeds: int, *, first: int = 0, never: set[str]) -> None:
    """Live through so many seeds: all rules hold, and all but `never` of what can happen does."""
    began = time.monotonic()
    whole = night(first, seeds, 1)

    figures = whole.figures(time.monotonic() - began)
    keep("R10", figures, met=False, why=f"{seeds} of 100,000 seeds")
    assert not whole.failed, [f"{faults[0]}; {again(s)}" for s, faults in whole.failed.items()]
    assert set(whole.steps) >= KINDS.keys() - never, "a kind of step is never reached"
    assert set(whole.happenings) >= HAPPENINGS - never, "something never happens"


def test_whatever_happens_nothing_is_lost_or_done_twice() -> None:
    holds(CI, never=RARE)


def test_a_seed_is_the_same_again() -> None:
    assert lived(17) == lived(17)


def _sends_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    def forgets(self: OutsideWorld, *args: Any) -> Any:
        self.ledger.clear()
        return carried(self, *args)

    carried = OutsideWorld.carry_out
    monkeypatch.setattr(OutsideWorld, "carry_out", forgets)


def _loses(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(self: Post, customer: str, rows: Any, fates: Any) -> None:
        finish(self, customer, rows, {})

    finish = Post.finish
    monkeypatch.setattr(Post, "finish", never)


@pytest.mark.parametrize("breaks", [_sends_twice, _loses], ids=["forgetful ledger", "lost fates"])
def test_a_world_that_is_broken_on_purpose_is_noticed(
    breaks: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    breaks(monkeypatch)

    assert any(lived(seed).faults for seed in range(36, 60))
