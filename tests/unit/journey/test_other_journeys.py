"""A journey may let its customer enter another one, and goes on by how that ended."""

import pytest

from journey.effects import StartRun
from journey.happenings import Done
from journey.touchpoint import RUN_ENDED
from tests.unit.journey.story import Run, entered, on

ASKS = on(
    "run: {journey: complaint, as: case, until: 60d, outcomes: {well-again: [{finish: well}],"
    " not_admitted: [{finish: known-already}]}, late: [{finish: still-open}]}",
    "finish: carried-on",
)


def asked() -> Run:
    anna = entered(ASKS, busy=(StartRun,))
    [start] = [effect for effect in anna.effects if isinstance(effect, StartRun)]
    anna.answers(start, Done())
    return anna


def ends(anna: Run, outcome: str) -> None:
    [start] = [effect for effect in anna.effects if isinstance(effect, StartRun)]
    anna.does(RUN_ENDED, run=f"journey/tale/anna:{anna.state.entry}:{start.n}", outcome=outcome)


@pytest.mark.parametrize(
    ("outcome", "then"),
    [("well-again", "well"), ("not_admitted", "known-already"), ("settled", "carried-on")],
)
def test_how_the_other_journey_ended_picks_the_way(outcome: str, then: str) -> None:
    anna = asked()

    ends(anna, outcome)

    assert anna.outcome == then


def test_it_is_not_waited_for_longer_than_was_said() -> None:
    anna = asked()

    anna.after(days=60)

    assert anna.outcome == "still-open"
