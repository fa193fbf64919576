"""Whatever an author wrote and whatever happens: no run raises, none is stuck, nothing is done twice."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from journey.program import Program
from tests.unit.journey.any_journey import journeys, published
from tests.unit.journey.any_run import HAPPENINGS, AnyRun

PROGRAMS = journeys().map(published).filter(lambda program: program is not None)


@settings(max_examples=150)
@given(PROGRAMS, st.lists(HAPPENINGS, max_size=14))
def test_no_run_raises_is_stuck_or_does_anything_twice(
    program: Program, happenings: list[tuple[str, Any]]
) -> None:
    run = AnyRun(program)
    run.enter()
    for kind, what in happenings:
        run.lives_through(kind, what)

    assert run.ends()
