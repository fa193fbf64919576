"""A journey's picture with what is counted of it: who stands where and for how long, and how many went each way."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from contracts.journey_figures import Counted, Standing
from insight.friction import Friction, StepFigures, quantile, quantile_seconds
from insight.graph_parts import GraphNode, JourneyGraph, Way

Noted = tuple[str, str, str]
"""An address, the kind of a decision there, and which way it went."""


@dataclass(slots=True, frozen=True, kw_only=True)
class Here:
    """How many stand at an address, and for how many seconds half of them, and nine in ten, have at the most.

    Of the past only how many is known.
    """

    n: int
    p50: float | None = None
    p90: float | None = None


@dataclass(slots=True, kw_only=True)
class Measured:
    """What is counted of a journey over a stretch of time, and who stands in it now.

    `steps` by address, `ways` by what the trace notes, `frictions` by address.
    """

    steps: Mapping[str, StepFigures]
    ways: Counter[Noted] = field(default_factory=Counter[Noted])
    here: Mapping[str, Here] = field(default_factory=dict[str, Here])
    frictions: Mapping[str, Sequence[Friction]] = field(
        default_factory=dict[str, Sequence[Friction]]
    )


def measured_graph(graph: JourneyGraph, measured: Measured) -> JourneyGraph:
    """The picture with its figures; where nothing was counted, it says nothing."""
    nodes = {address: _node(node, measured) for address, node in graph.nodes.items()}
    groups = tuple(
        replace(group, figures=_of_stage(group.name, measured)) if group.kind == "stage" else group
        for group in graph.groups
    )
    return replace(graph, nodes=nodes, groups=groups)


def ways_noted(counted: Iterable[Counted]) -> Counter[Noted]:
    """How often each decision was taken."""
    found = Counter[Noted]()
    for each in counted:
        found[each.address, each.kind, each.way] += each.n
    return found


def standing_here(stands: Iterable[Standing], now: datetime) -> dict[str, Here]:
    """Who stands where `now`. Whoever came within an hour counts as if in its middle: to half an hour."""
    ages: dict[str, Counter[int]] = {}
    for each in stands:
        age = max(0, round((now - each.since).total_seconds()) - 1_800)
        ages.setdefault(each.address, Counter())[age] += each.n
    return {
        address: Here(n=count.total(), p50=quantile(count, 0.5), p90=quantile(count, 0.9))
        for address, count in ages.items()
        if count.total() > 0
    }


def length_in_words(seconds: float) -> str:
    """`45 s`, `12 min`, `3.5 h`, `12 d`: of the clock, in two figures."""
    for unit, size in (("d", 172_800), ("h", 5_400), ("min", 60)):
        if seconds >= size:
            many = seconds / _SECONDS[unit]
            return f"{many:.1f} {unit}" if many < 9.95 else f"{many:,.0f} {unit}"
    return f"{seconds:.0f} s"


def friction_in_words(friction: Friction) -> str:
    """What is to be seen, with its figures."""
    if friction.what == "slower":
        now, before = length_in_words(friction.now), length_in_words(friction.before)
        what = f"half stand {now}"
    else:
        now, before = _share(friction.now), _share(friction.before)
        what = f"{now} {_WHAT[friction.what]}"
    than = "before" if friction.against == "past" else "where they go instead"
    return f"{what}, {before} {than} ({friction.of_now:,} and {friction.of_before:,} counted)"


_SECONDS = {"d": 86_400, "h": 3_600, "min": 60}
_WHAT = {
    "leaving": "leave here",
    "failing": "fail",
    "returning": "come back",
    "repeating": "say it again",
}


def _node(node: GraphNode, measured: Measured) -> GraphNode:
    frictions = measured.frictions.get(node.address, ())
    ways = tuple(_way(node.address, way, measured.ways) for way in node.ways)
    return replace(
        node, ways=ways, figures=tuple(_lines(node, measured)), friction=tuple(map(friction_in_words, frictions))
    )  # fmt: skip


def _way(address: str, way: Way, ways: Counter[Noted]) -> Way:
    if not way.noted:
        return way
    went = " / ".join(f"{ways[address, kind, said[:200]]:,}" for kind, said in way.noted)
    return replace(way, words=" · ".join(filter(None, (way.words, went))))


def _lines(node: GraphNode, measured: Measured) -> list[str]:
    address, lines = node.address, list[str]()
    if node.kind == "enter":
        entered = measured.ways["", "entered", ""]
        return [f"{entered:,} entered"] if entered else []
    here, step = measured.here.get(address), measured.steps.get(address)
    if here is not None:
        lines.append(f"{here.n:,} stand here{_for_so_long(here)}")
    if node.kind in _TOLD:
        lines += [
            f"{measured.ways[address, kind, '']:,} {words}"
            for kind, words in _TOLD[node.kind]
            if measured.ways[address, kind, ""]
        ]
    if step is None:
        return lines
    p50, p90 = quantile_seconds(step.stays, 0.5), quantile_seconds(step.stays, 0.9)
    if p50 is not None and p90 is not None:
        lines.append(
            f"{sum(step.stays.values()):,} went on: half in {length_in_words(p50)},"
            f" nine in ten in {length_in_words(p90)}"
        )
    if step.left:
        lines.append(f"{step.left:,} ended here without the goal")
    return lines


_TOLD: dict[str, tuple[tuple[str, str], ...]] = {
    "send": (("sent", "sent"), ("not_sent", "not sent"), ("deferred", "put off")),
    "ask": (("sent", "asked"), ("not_sent", "not asked")),
    "handoff": (("case", "cases"), ("escalated", "escalated")),
    "finish": (("finished", "ended so"),),
    "whenever": (("reacted", "times"), ("ignored", "times more while it went on")),
    "exit": (("finished", "left so"),),
    "call": (("failed", "failed"),),
}


def _for_so_long(here: Here) -> str:
    if here.p50 is None or here.p90 is None:
        return ""
    return f": half for {length_in_words(here.p50)} or less, nine in ten for {length_in_words(here.p90)}"


def _of_stage(stage: str, measured: Measured) -> str:
    here, step = measured.here.get(stage), measured.steps.get(stage)
    told: list[str] = []
    if here is not None:
        told.append(f"{here.n:,} here now")
    if step is not None and step.came:
        told.append(f"{step.came:,} came")
    if step is not None and step.went:
        told.append(f"{step.went:,} went")
    return ", ".join(told)


def _share(share: float) -> str:
    return f"{100 * share:.3g} %"
