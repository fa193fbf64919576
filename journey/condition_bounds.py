"""What an expression may take before it is evaluated: at most half a second, and 50 MB, in the worst case.

The engine bounds turns of loops (10,000 in all) and depth, but not what is done in each turn, so
that is weighed here against the values at hand. Weights are measured on one core, in nanoseconds
and bytes, and rounded up.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard, cast

from journey import cel_tree
from journey.cel_tree import Calls, Path, Tree
from journey.pattern_size import states

MAX_PARTS = 200_000
MAX_TURNS = 10_000
MAX_STATES = 1_000
MAX_NANOSECONDS = 400_000_000
MAX_BYTES = 50_000_000
LIGHT_COMPARES = 3
"""So many are not worth weighing: nothing that reaches a run is so large that they would take long."""

_PART_NANOSECONDS, _SIGN_NANOSECONDS = 200, 3
_STATE_AND_SIGN_NANOSECONDS, _STATE_NANOSECONDS = 70, 10_000
_PART_BYTES = 40


@dataclass(slots=True)
class Weight:
    """How much there is of some values: parts, signs of text, and the longest list and text among them."""

    parts: int = 0
    signs: int = 0
    longest: int = 0
    longest_text: int = 0

    @property
    def nanoseconds(self) -> int:
        """What it takes to look at all of it once."""
        return self.parts * _PART_NANOSECONDS + self.signs * _SIGN_NANOSECONDS

    def times(self, reads: int) -> "Weight":
        """What it is to look at all of it so many times."""
        return Weight(reads * self.parts, reads * self.signs, self.longest, self.longest_text)


def pattern_faults(tree: Tree) -> str | None:
    """What is wrong with the patterns of `matches`, if anything."""
    for pattern in (*tree.outside.patterns, *tree.inside.patterns):
        if pattern is None:
            return "matches takes a pattern that is written out in quotes"
        if states(pattern) > MAX_STATES:
            return f"the pattern is too large: repeat less, {MAX_STATES:,} signs at the most"
    return None


def is_light(tree: Tree) -> bool:
    """Whether it cannot take long, whatever the values."""
    calls = tree.outside
    heavy = calls.compares + calls.adds
    return not tree.loops and heavy <= LIGHT_COMPARES and not (calls.searches or calls.patterns)


def too_much(tree: Tree, data: Mapping[str, object]) -> str | None:
    """Why it may not be evaluated over these values, if so."""
    if is_light(tree):
        return None
    for path in tree.lists:
        # Maps have no order, so that what goes through one could differ from worker to worker.
        if any(isinstance(found, dict) for found in _found(data, path)):
            return f"{'.'.join(path)} has no order to go through: keep a list"
    whole = weigh(data.values())
    if whole.parts < MAX_PARTS:
        outside, inside = (whole.times(len(c.reads)) for c in (tree.outside, tree.inside))
        if _is_bounded(tree, outside, inside, whole, whole.longest):
            return None  # even if each step looked at all there is
        holders = _gone_through(tree, data)
        outside, inside = _looked_at(tree.outside, data), _looked_at(tree.inside, data)
        longest = max(map(len, holders), default=0)
        if _is_bounded(tree, outside, inside, _heaviest(holders), longest):
            return None
    return "too much to go through: keep shorter lists and texts"


def _is_bounded(tree: Tree, outside: Weight, inside: Weight, each: Weight, longest: int) -> bool:
    """Whether time and memory are, for what is read once, in each turn, and of `longest` lists gone through."""
    joins = 1 + tree.outside.adds
    taken = outside.nanoseconds + _searching(tree.outside, outside.longest_text * joins)
    size = tree.outside.adds**2 * (outside.longest_text + _PART_BYTES * outside.longest)
    if tree.loops:
        written = max(tree.outside.parts, tree.inside.parts)
        longest = joins * max(written, inside.longest, longest)
        turns = min(MAX_TURNS, tree.loops * longest**tree.depth)
        text = joins * max(inside.longest_text, each.longest_text, outside.longest_text)
        in_turn = inside.nanoseconds + tree.inside.uses * each.nanoseconds
        taken += turns * (in_turn + _searching(tree.inside, text))
        size += turns * _PART_BYTES * (tree.inside.adds * longest + tree.inside.parts)
    return taken <= MAX_NANOSECONDS and size <= MAX_BYTES


def _looked_at(calls: Calls, data: Mapping[str, object]) -> Weight:
    """What is read at once, as often as it is."""
    looked = Weight()
    for path, times in Counter(calls.reads).items():
        found = weigh(_found(data, path))
        looked.parts += times * found.parts
        looked.signs += times * found.signs
        looked.longest = max(looked.longest, found.longest)
        looked.longest_text = max(looked.longest_text, found.longest_text)
    return looked


def _searching(calls: Calls, longest_text: int) -> int:
    """Nanoseconds that searches and patterns take once, in texts as long as this or as what is written out."""
    text = longest_text + 1_000
    taken = calls.searches * text * text // 100
    for pattern in calls.patterns:
        taken += states(pattern or "") * (text * _STATE_AND_SIGN_NANOSECONDS + _STATE_NANOSECONDS)
    return taken


def _gone_through(tree: Tree, data: Mapping[str, object]) -> list[list[object] | dict[str, object]]:
    """The lists and maps that loops go through; where that is not known, all there are."""
    if not tree.unknown_range:
        return [found for path in tree.ranges for found in _found(data, path) if _is_holder(found)]
    holders, ahead = list[list[object] | dict[str, object]](), list(data.values())
    while ahead:
        inner = [value for value in ahead if _is_holder(value)]
        holders += inner
        ahead = [part for value in inner for part in _parts(value)]
    return holders


def _is_holder(value: object) -> TypeGuard[list[object] | dict[str, object]]:
    return isinstance(value, list | dict)


def _heaviest(holders: Iterable[list[object] | dict[str, object]]) -> Weight:
    """The heaviest that a loop comes to: what stands in a list, or the key of a map."""
    items = (weigh([item]) for holder in holders for item in holder)
    return max(items, key=lambda weight: weight.nanoseconds, default=Weight(parts=1))


def weigh(values: Iterable[object]) -> Weight:
    """How much there is of these values, with all that is in them; of very many, not all is counted."""
    ahead, signs, longest, longest_text = list[Any](values), 0, 0, 0
    for value in ahead:  # which grows meanwhile
        if isinstance(value, str):
            signs += len(value)
            longest_text = max(longest_text, len(value))
        elif _is_holder(value):
            ahead += value.values() if isinstance(value, dict) else value
            longest = max(longest, len(value))
            if len(ahead) >= MAX_PARTS:
                break
    return Weight(len(ahead), signs, longest, longest_text)


def _found(data: object, path: Path) -> list[object]:
    """All that a path leads to."""
    found = [data]
    for part in path:
        if part == cel_tree.EACH:
            found = [inner for value in found for inner in _parts(value)]
        else:
            maps = [cast("dict[str, object]", value) for value in found if isinstance(value, dict)]
            found = [value[part] for value in maps if part in value]
    return found


def _parts(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(cast("dict[str, object]", value).values())
    return cast("list[object]", value) if isinstance(value, list) else []
