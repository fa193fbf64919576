"""What the machine says a journey does is what the workflow does: the same decisions, for the same reasons.

Journeys and what happens in them are made by chance, the same on every run of this test.
"""

import json
import re
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from journey.effects import NOT_SENT, TraceEntry
from journey.program import Program
from journey.publication import read_definition
from tests.unit.journey.any_journey import EVENTS, journeys
from tests.unit.journey.any_run import REPLIES
from tests.unit.journey.test_whatever_happens import published
from tests.workflows.pure_run import PureRun, UnclearOrderError
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
        suppress_health_check=list(HealthCheck),
    )
    @given(journeys().filter(lambda journey: published(journey) is not None), LIFE)
    def find(journey: dict[str, Any], life: Life) -> None:
        found.append((journey, life))

    find()
    return found


class SideBySide:
    """One life, lived by the machine alone and then on the server; `told` is what was sent, and when."""

    def __init__(self, stage: Stage, program: Program, began: datetime) -> None:
        self._stage, self._began = stage, began
        self.entry = len(stage.world.admitted) + 1
        self.pure = PureRun(program, f"c_{self.entry}", self.entry, began)
        self.told: list[tuple[timedelta, dict[str, Any], int]] = []

    def live(self, life: Life) -> None:
        """By the machine alone. Raises: `UnclearOrderError`."""
        said = {"n": 1, "due": self._hours_on(30.37), "list": [1, 2]}
        entered = self._sent({"event": self.pure.program.entry_event, "properties": said})
        self.pure.enter(entered, self._stage.world.traits)
        self.told.append((timedelta(), entered, len(self.pure.trace)))
        for hours, (kind, what) in life:
            if self.pure.state.finished:
                break
            self.pure.passes(timedelta(hours=hours))
            raw = self._made(kind, what)
            if raw is not None and not self.pure.state.finished:
                self.pure.arrives(raw)
                self.told.append((timedelta(hours=hours), raw, len(self.pure.trace)))
            else:
                self.told.append((timedelta(hours=hours), {}, len(self.pure.trace)))
        self.pure.passes(AFTERWARDS)

    def _made(self, kind: str, what: dict[str, Any]) -> dict[str, Any] | None:
        if kind in ("case", "survey", "run"):
            ours = self.pure.ours(kind, what)
            return ours and self._sent(ours)
        due = what.get("due")
        said = {**what, "due": self._hours_on(due)} if isinstance(due, float) else what
        return self._sent({"event": kind, "properties": said})

    def _sent(self, raw: dict[str, Any]) -> dict[str, Any]:
        return {"message_id": f"m-{len(self.told)}", **raw}

    def _hours_on(self, hours: float) -> str:
        return (self.pure.now + timedelta(hours=hours)).isoformat()

    async def live_on_the_server(self) -> None:
        """The same, step by step as far as the machine went."""
        stage, pure = self._stage, self.pure
        stage.world.behind, stage.world.carried = pure.behind, {}
        customer = None
        for gap, raw, decided in self.told:
            if customer is None:
                customer = await stage.enter(
                    "any", raw["event"], pure.customer, **raw["properties"]
                )
            else:
                await stage.skipping.sleep(gap)
                if raw:
                    await customer.handle.signal("touchpoint", raw)
            await self._until(decided)
        await stage.skipping.sleep(AFTERWARDS)
        await self._until(len(pure.trace))
        assert customer is not None
        finished = (await customer.handle.describe()).status is not None
        assert finished
        await stage.clear()

    async def _until(self, decided: int) -> None:
        world = self._stage.world
        try:
            await self._stage.until(lambda: len(world.decisions(self.entry)) >= decided)
        except TimeoutError:
            assert plain(world.decisions(self.entry)) == plain(self.pure.trace[:decided])


def plain(trace: list[TraceEntry]) -> list[tuple[str, str, str]]:
    """Decisions without the minutes that a server is late."""
    return [
        (each.address, each.kind, re.sub(r"\d\d:\d\d(:[\d.]+)?", "…", each.why)) for each in trace
    ]


async def test_a_run_decides_on_a_server_as_the_machine_says(stage: Stage) -> None:
    compared = 0
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
