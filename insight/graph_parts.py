"""What a picture of a journey is made of: nodes in words, the ways between them, and the groups they stand in."""

from dataclasses import dataclass
from typing import Literal

GroupKind = Literal["entry", "exits", "stage", "reaction", "ending"]


@dataclass(slots=True, frozen=True, kw_only=True)
class Way:
    """One way on from a step: into one of its blocks, or by itself to what stands behind it.

    `steps`: the addresses in the block. `to`: where it leads, None where it ends. `ends`: what follows the
    block. `goes_on`: whether its end is ever reached. `by_itself`: no block is taken. `noted`: the
    decisions by which it is taken, as the trace has them.
    """

    words: str
    steps: tuple[str, ...] = ()
    to: str | None = None
    ends: Literal["next", "nothing", "here"] = "next"
    goes_on: bool = True
    by_itself: bool = False
    noted: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True, frozen=True, kw_only=True)
class GraphNode:
    """Something to be seen: a step, or how the journey is entered, left, or reacts.

    `words`: itself first, then what more there is to say. `goes_to`: stages it leads to.
    `goal`: whether it is an end that is the aim. `figures`: what is counted of it, `friction`: what of that is
    to be looked at, in words both.
    """

    address: str
    kind: str
    words: tuple[str, ...]
    ways: tuple[Way, ...] = ()
    goes_to: tuple[str, ...] = ()
    goal: bool = False
    figures: tuple[str, ...] = ()
    friction: tuple[str, ...] = ()


@dataclass(slots=True, frozen=True, kw_only=True)
class Edge:
    """From one node to another, with what must come for it."""

    source: str
    target: str
    words: str = ""
    jump: bool = False
    """Whether it leads to the beginning of a stage, from wherever it begins."""


@dataclass(slots=True, frozen=True, kw_only=True)
class Group:
    """A part of the picture: a stage with the customer's feeling, the entry, the exits, a reaction, the end.

    `steps`: the addresses of what stands in it one behind the other, blocks left out; `all_steps`: with them.
    `figures`: what is counted of it, in words.
    """

    name: str
    kind: GroupKind
    title: str
    steps: tuple[str, ...]
    all_steps: tuple[str, ...]
    feeling: str | None = None
    figures: str = ""


@dataclass(slots=True, frozen=True)
class JourneyGraph:
    """The whole picture. `version`: of the definition that was drawn."""

    journey: str
    title: str
    owner: str
    version: str
    goal: str | None
    nodes: dict[str, GraphNode]
    groups: tuple[Group, ...]
    edges: tuple[Edge, ...]

    @property
    def stages(self) -> dict[str, Group]:
        """The stages by name, in order."""
        return {group.name: group for group in self.groups if group.kind == "stage"}
