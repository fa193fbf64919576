"""The steps of a journey's picture with what is inside them: how large they are, and what they lead to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from insight.drawn_text import Type, drawable, width_of, wrapped
from insight.graph_parts import GraphNode, Way

HEADLINE = Type(13, 17, bold=True)
DETAIL = Type(11.5, 15)
CHIP = Type(11.5, 15, bold=True)
FIGURE = Type(12, 17, bold=True)
FRICTION = Type(11.5, 16, bold=True)

CARD_WIDTH = 252
ICON = 40
PADDING = 10
GAP = 24
"""Between a step and the next one."""
FORK = 12
"""From a step to where its ways part."""
TO_CHIP = 22
LANE = 8
"""Between two lines beside each other."""
BETWEEN = 16
"""Between two ways."""
ROUND = 18
"""Room for the line that leads back for another round."""
MERGE = 12
_PILLS = ("finish", "go")
_DETAILS = 6


@dataclass(slots=True, frozen=True)
class Written:
    """One line of text in a card."""

    text: str
    kind: Type


class Card:
    """One node: its lines of text, and how large they make it."""

    def __init__(self, node: GraphNode) -> None:
        self.node = node
        self.is_pill = node.kind in _PILLS
        head, *more = [drawable(each) for each in node.words]
        room = CARD_WIDTH - ICON - PADDING
        self.lines = [Written(line, HEADLINE) for line in wrapped(head, room, HEADLINE, 6)]
        for detail in more[:_DETAILS]:
            self.lines += [Written(line, DETAIL) for line in wrapped(detail, room, DETAIL, 3)]
        if len(more) > _DETAILS:
            self.lines.append(Written(f"and {len(more) - _DETAILS} more", DETAIL))
        for figure in node.figures:
            self.lines += [Written(line, FIGURE) for line in wrapped(figure, room, FIGURE, 3)]
        for friction in node.friction:
            self.lines += [Written(line, FRICTION) for line in wrapped(friction, room, FRICTION, 4)]
        widest = max((width_of(line.text, line.kind) for line in self.lines), default=0)
        self.width = ICON + widest + 2 * PADDING if self.is_pill else CARD_WIDTH
        self.width = min(self.width, CARD_WIDTH)
        self.height = 2 * PADDING + sum(line.kind.leading for line in self.lines)


class Column:
    """One way on from a step: what must come for it, and the steps on it."""

    def __init__(self, way: Way, nodes: Mapping[str, GraphNode]) -> None:
        self.way = way
        self.words = wrapped(drawable(way.words), CARD_WIDTH - 24, CHIP, 6)
        self.block = Block(way.steps, nodes)
        self.targets: tuple[str, ...] = self.block.targets
        self.is_round = way.ends == "here" and bool(way.steps)
        widest = max((width_of(line, CHIP) + 20 for line in self.words), default=24)
        content = max(widest, self.block.width, CARD_WIDTH if self.is_round else 0)
        self.margin = max(
            ROUND if self.is_round else 0, LANE * (len(self.targets) + 1) if self.targets else 0
        )
        self.width = content + 2 * self.margin

    @cached_property
    def chip_height(self) -> float:
        """The height of what must come."""
        return len(self.words) * CHIP.leading + 6 if self.words else 0

    @cached_property
    def height(self) -> float:
        """From the step above to the end of the last step on the way."""
        inside = 14 + self.block.height + (14 if self.is_round else 0) if self.way.steps else 0
        ended = 16 if self.ends_here else 0
        return TO_CHIP + self.chip_height + inside + ended

    @cached_property
    def ends_here(self) -> bool:
        """Whether who goes this way comes to its end, and nothing follows there."""
        return self.way.ends == "nothing" and self.way.goes_on

    @cached_property
    def leads_on(self) -> bool:
        """Whether it leads to what stands behind the step."""
        return self.way.ends == "next" and self.way.goes_on


class Tree:
    """A step with all ways on from it."""

    def __init__(self, node: GraphNode, nodes: Mapping[str, GraphNode]) -> None:
        self.card = Card(node)
        plain = all(not way.steps and not way.words for way in node.ways)
        self.columns = [] if plain else [Column(way, nodes) for way in node.ways]
        self.falls = any(way.goes_on and way.ends == "next" for way in node.ways)
        self.inner_targets = _each_once(column.targets for column in self.columns)
        self.targets = _each_once([node.goes_to, self.inner_targets])
        columns = sum(column.width for column in self.columns)
        self.columns_width = columns + BETWEEN * max(0, len(self.columns) - 1)
        self.width = max(self.card.width, self.columns_width)

    @cached_property
    def lanes_at(self) -> float:
        """Where, below the card's top, lines to other stages leave to the right."""
        deepest = max((column.height for column in self.columns), default=0)
        return self.card.height + deepest + 9

    @cached_property
    def merge_at(self) -> float:
        """Where, below the card's top, the ways come together again."""
        return self.lanes_at + LANE * len(self.inner_targets) + 3

    @cached_property
    def height(self) -> float:
        """The card and all that is inside."""
        if not self.columns:
            return self.card.height
        return self.merge_at + (MERGE if self.falls else 0)


class Block:
    """Steps one behind the other."""

    def __init__(self, steps: Sequence[str], nodes: Mapping[str, GraphNode]) -> None:
        self.trees = [Tree(nodes[address], nodes) for address in steps]
        self.targets = _each_once(tree.targets for tree in self.trees)
        self.width = max((tree.width for tree in self.trees), default=0)
        between = GAP * max(0, len(self.trees) - 1)
        self.height = sum(tree.height for tree in self.trees) + between


def _each_once(names: Iterable[Sequence[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for some in names for name in some))
