"""What the machine says a journey does is what the workflow does: the same decisions, for the same reasons.

Journeys and what happens in them are made by chance, the same on every run of this test.
"""

import json
import re
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from journey.effects import NOT_SENT, TraceEntry
from journey.machine import CASE_CLOCK_ENGINE
from journey.program import Program
from journey.publication import read_definition
from tests.unit.journey.any_journey import EVENTS, journeys, published
from tests.unit.journey.any_run import REPLIES
from tests.workflows.pure_run import OURS, PureRun, UnclearOrderError
from tests.workflows.world import Stage

LIVES = 40
"""About one in three is not compared: see `UnclearOrderError`."""

LATE = timedelta(minutes=4)
"""A busy machine carries a run on late, by seconds; a wait that is wrong is wrong by hours."""

GAPS = st.sampled_from([0.11, 0.13, 0.31, 1.73, 26.17, 141.07])
"""Hours that add up to no whole number of them: journeys wait for whole hours."""

SAID = st.fixed_dictionaries(
    {
        "n": st.integers(0, 2),
        "due": st.sampled_from([3.37, 30.37, -2.63, "no time", None]),
        "list": st.sampled_from([[], [1], [1, 2, 3, 4], "no list"]),
    }
)
HAPPENINGS: st.SearchStrategy[tuple[str, Any]] = st.one_of(
    st.tuples(st.sampled_from(EVENTS), SAID),
    st.tuples(st.sampled_from(EVENTS), SAID),
    st.tuples(st.just("case"), st.sampled_from([{"decision": "yes"}, {"decision": "no"}])),
    st.tuples(st.just("survey"), REPLIES),
    st.tuples(st.just("run"), st.sampled_from([{"outcome": "good"}, {"outcome": "not_admitted"}])),
    st.tuples(st.just("$identify"), st.fixed_dictionaries({"vip": st.booleans()})),
)
LIFE = st.lists(st.tuples(GAPS, HAPPENINGS), min_size=3, max_size=8)

AFTERWARDS = timedelta(days=40, minutes=13)

Life = list[tuple[float, tuple[str, Any]]]


def lives() -> list[tuple[dict[str, Any], Life]]:
    """Journeys and what happens in them."""
    found: list[tuple[dict[str, Any], Life]] = []

    @settings(
        max_examples=LIVES,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    @given(journeys().filter(lambda journey: published(journey) is not None), LIFE)
    def find(journey: dict[str, Any], life: Life) -> None:
        found.append((journey, life))

    find()
    return found


class SideBySide:
    """One life, lived by the machine alone and then on the server.

    `told` is what was sent, after how long, and how much had been decided when all of it was done.
    """

    def __init__(self, stage: Stage, program: Program, began: datetime) -> None:
        self._stage = stage
        self.entry = len(stage.world.admitted) + 1
        self.pure = PureRun(program, f"c_{self.entry}", self.entry, began)
        self.told: list[tuple[timedelta, dict[str, Any] | None, int]] = []

    def live(self, life: Life) -> None:
        """By the machine alone. Raises: `UnclearOrderError`."""
        said = {"n": 1, "due": self._hours_on(30.37), "list": [1, 2]}
        entered = {"event": self.pure.program.entry_event, "properties": said, "message_id": "m"}
        self.pure.enter(entered, self._stage.world.traits)
        self._tell(timedelta(), entered)
        for hours, (kind, what) in life:
            self.pure.passes(timedelta(hours=hours))
            raw = None if self.pure.state.finished else self._made(kind, what)
            if raw is not None:
                raw["message_id"] = f"m-{len(self.told)}"
                self.pure.arrives(raw)
            self._tell(timedelta(hours=hours), raw)
        self.pure.passes(AFTERWARDS)
        self._tell(AFTERWARDS, None)

    def _tell(self, after: timedelta, raw: dict[str, Any] | None) -> None:
        self.told.append((after, raw, len(self.pure.trace)))

    def _made(self, kind: str, what: dict[str, Any]) -> dict[str, Any] | None:
        if kind in OURS:
            return self.pure.ours(kind, what)
        due = what.get("due")
        said = {**what, "due": self._hours_on(due)} if isinstance(due, float) else what
        return {"event": kind, "properties": said}

    def _hours_on(self, hours: float) -> str:
        return (self.pure.now + timedelta(hours=hours)).isoformat()

    async def live_on_the_server(self) -> None:
        """The same, step by step, each when the one before is done."""
        stage, pure = self._stage, self.pure
        stage.world.behind, stage.world.carried = pure.behind, {}
        (_, entered, decided), *rest = self.told
        assert entered is not None
        said = entered["properties"]
        customer = await stage.enter("any", entered["event"], pure.customer, **said)
        await self._until(decided)
        for after, raw, decided in rest:
            await stage.skipping.sleep(after)
            if raw is not None:
                await customer.handle.signal("touchpoint", raw)
            await self._until(decided)
        if pure.state.finished:
            assert await customer.outcome() == pure.state.outcome
        else:
            assert (await customer.status())["outcome"] is None
        await stage.clear()

    async def _until(self, decided: int) -> None:
        world = self._stage.world
        with suppress(TimeoutError):  # what is missing is told by the comparison
            await self._stage.until(lambda: len(world.decisions(self.entry)) >= decided)
        assert plain(world.decisions(self.entry)[:decided]) == plain(self.pure.trace[:decided])


def plain(trace: list[TraceEntry]) -> list[tuple[str, str, str]]:
    """Decisions without the minutes that a server is late."""
    return [
        (each.address, each.kind, re.sub(r"\d\d:\d\d(:[\d.]+)?", "…", each.why)) for each in trace
    ]


async def test_a_run_decides_on_a_server_as_the_machine_says(stage: Stage) -> None:
    compared = 0
    # The pure machine has no clock of cases beside it: its runs keep deadlines of staff themselves.
    stage.world.engine = CASE_CLOCK_ENGINE - 1
    for journey, life in lives():
        source = json.dumps(journey)
        now = await stage.skipping.get_current_time()
        began = now.replace(minute=17, second=0, microsecond=0) + timedelta(hours=1)
        stage.world.traits = {}
        both = SideBySide(stage, read_definition(source, "any.json").program, began)
        try:
            both.live(life)
        except UnclearOrderError:
            continue
        stage.world.publish(source, "any.json")
        await stage.skipping.sleep(began - now)
        await both.live_on_the_server()

        decided, said = stage.world.decisions(both.entry), both.pure.trace
        assert plain(decided) == plain(said), f"{source}\n{both.told}"
        for one, other in zip(decided, said, strict=True):
            assert one.at == NOT_SENT or abs(one.at - other.at) < LATE, (one, other, source)
        keys = [o.deliver.n for o in stage.world.sent if o.run.entry == both.entry]
        assert len(set(keys)) == len(keys), f"sent twice: {source}\n{both.told}"
        compared += 1
    print(f"compared {compared} of {LIVES}")
    assert compared > LIVES / 2
