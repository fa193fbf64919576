"""The steps of a journey's picture put in their places, with the lines between them.

A line to another stage never crosses a step: it leaves to the right of its step, goes down beside the way it
is on, below all ways, and so on outward.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from insight.graph_blocks import (
    BETWEEN,
    FORK,
    GAP,
    LANE,
    ROUND,
    TO_CHIP,
    Block,
    Card,
    Column,
    Tree,
)

Point = tuple[float, float]
Leave = Callable[[str, list[Point]], None]
"""Takes a line to a stage on from where it came to."""


@dataclass(slots=True, frozen=True)
class PlacedCard:
    """A card, by its upper left corner."""

    card: Card
    x: float
    y: float


@dataclass(slots=True, frozen=True)
class Chip:
    """What must come for a way, by the middle of its upper edge."""

    lines: list[str]
    x: float
    y: float


@dataclass(slots=True, frozen=True)
class Line:
    """A line through points. `kind`: on to the next step, to another stage, or back for another round."""

    points: list[Point]
    kind: Literal["way", "go", "round"] = "way"
    arrow: bool = False


@dataclass(slots=True)
class Placed:
    """All that was put in its place."""

    cards: list[PlacedCard] = field(default_factory=list[PlacedCard])
    chips: list[Chip] = field(default_factory=list[Chip])
    lines: list[Line] = field(default_factory=list[Line])
    dots: list[Point] = field(default_factory=list[Point])

    def block(self, block: Block, axis: float, top: float, leave: Leave) -> float:
        """Put steps below each other around an axis; the answer is where the last one ends."""
        for index, tree in enumerate(block.trees):
            if index:
                self.lines.append(Line([(axis, top), (axis, top + GAP)], arrow=True))
                top += GAP
            self._tree(tree, axis, top, leave)
            top += tree.height
        return top

    def _tree(self, tree: Tree, axis: float, top: float, leave: Leave) -> None:
        card = tree.card
        left, right, middle = axis - card.width / 2, axis + card.width / 2, top + card.height / 2
        self.cards.append(PlacedCard(card, left, top))
        for stage in card.node.goes_to:
            leave(stage, [(right, middle)])
        x = axis - tree.columns_width / 2
        for column in tree.columns:
            self._column(tree, column, axis, (x, top), leave)
            x += column.width + BETWEEN

    def _column(self, tree: Tree, column: Column, axis: float, at: Point, leave: Leave) -> None:
        own, bottom = at[0] + column.width / 2, at[1] + tree.card.height
        y = bottom + TO_CHIP
        begins = [(axis, bottom), (axis, bottom + FORK), (own, bottom + FORK)]
        if column.words:
            self.lines.append(Line([*begins, (own, y)]))
            self.chips.append(Chip(column.words, own, y))
            begins, y = [(own, y + column.chip_height)], y + column.chip_height
        if column.way.steps:
            self.lines.append(Line([*begins, (own, y + 14)], arrow=True))
            y = self.block(column.block, own, y + 14, self._outward(tree, column, at, leave))
            begins = [(own, y)]
        self._end(tree, column, axis, at, begins, y)

    def _end(
        self, tree: Tree, column: Column, axis: float, at: Point, begins: list[Point], y: float
    ) -> None:
        (x, top), own = at, at[0] + column.width / 2
        if column.leads_on:
            merge = top + tree.merge_at
            ends = [(own, merge), (axis, merge), (axis, top + tree.height)]
            self.lines.append(Line([*begins, *ends]))
        elif column.is_round and column.way.goes_on:
            back = x + column.margin - ROUND + 6
            ends = [(own, y + 10), (back, y + 10), *_back_to(tree.card, axis, top, back)]
            self.lines.append(Line([*begins, *ends], "round", arrow=True))
        elif column.ends_here:
            self.lines.append(Line([*begins, (own, y + 12)]))
            self.dots.append((own, y + 12))

    def _outward(self, tree: Tree, column: Column, at: Point, leave: Leave) -> Leave:
        def outward(stage: str, points: list[Point]) -> None:
            beside = at[0] + column.width - column.margin
            x = beside + LANE * (column.targets.index(stage) + 0.75)
            y = at[1] + tree.lanes_at + LANE * tree.inner_targets.index(stage)
            leave(stage, [*points, (x, points[-1][1]), (x, y)])

        return outward


def _back_to(card: Card, axis: float, top: float, x: float) -> list[Point]:
    """Up to the card: to its side, or to its lower edge where that is above."""
    left, right, middle = axis - card.width / 2, axis + card.width / 2, top + card.height / 2
    if left <= x <= right:
        return [(x, top + card.height)]
    return [(x, middle), (left if x < left else right, middle)]
