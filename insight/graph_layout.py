"""The whole of a journey's picture put in its place: entry and exits, stages below each other, then the reactions.

Lines to a stage run in a lane of its own at the right, past all that is between.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from insight.drawn_text import Type, drawable, width_of, wrapped
from insight.graph_blocks import Block
from insight.graph_parts import Group, JourneyGraph
from insight.graph_placing import Line, Placed, Point

TITLE = Type(21, 28, bold=True)
BAND_TITLE = Type(15, 20, bold=True)
QUIET = Type(12, 16)

EDGE = 28
"""Around the picture."""
INSIDE = 20
"""Between a band and what is in it."""
BETWEEN_BANDS = 22
BETWEEN_BLOCKS = 20
LANES = 20
"""From the bands to the first lane, and from lane to lane."""
LANE = 12
NARROWEST = 620
ASIDE = ("reaction", "ending")
"""Groups of steps that stand in no stage."""


@dataclass(slots=True, frozen=True)
class Band:
    """A group on the ground of its own, by its upper left corner."""

    group: Group
    title: list[str]
    note: str
    x: float
    y: float
    width: float
    height: float


@dataclass(slots=True, frozen=True)
class Layout:
    """Everything in its place; sizes in pixels."""

    width: float
    height: float
    title: list[str]
    note: list[str]
    bands: list[Band]
    placed: Placed


def laid_out(graph: JourneyGraph) -> Layout:
    """Put everything in its place."""
    return _Laying(graph).layout()


class _Content:
    """A group as it is before it has a place."""

    def __init__(self, group: Group, graph: JourneyGraph) -> None:
        self.group = group
        apart = group.kind == "exits"
        steps = [(step,) for step in group.steps] if apart else [group.steps]
        self.blocks = [Block(each, graph.nodes) for each in steps]
        self.leaves = any(block.targets for block in self.blocks)
        # A reaction needs no headline: its first card says what it is about.
        self.headed = group.kind not in ASIDE
        self.note = _note(group, list(graph.stages))
        between = BETWEEN_BLOCKS * (len(self.blocks) - 1)
        wide = sum(block.width for block in self.blocks) + between
        named = width_of(self.note, QUIET) + (160 if self.headed else 0)
        self.width = max(wide, named, 240) + 2 * INSIDE

    def title(self, width: float) -> list[str]:
        room = width - 2 * INSIDE - width_of(self.note, QUIET) - 16
        return wrapped(drawable(self.group.title), room, BAND_TITLE, 3) if self.headed else []

    def head(self, width: float) -> float:
        return 14 + BAND_TITLE.leading * len(self.title(width)) + 10 if self.headed else INSIDE

    def height(self, width: float) -> float:
        tallest = max(block.height for block in self.blocks)
        falls = 20 if self.group.kind in ASIDE and self.blocks[0].trees[-1].falls else 0
        return self.head(width) + tallest + falls + INSIDE


def _note(group: Group, stages: list[str]) -> str:
    """Which stage it is, and how the customer feels there."""
    if group.kind != "stage":
        return ""
    place = f"stage {stages.index(group.name) + 1} of {len(stages)}"
    name = group.name if group.title != group.name else ""
    feels = f"feels {group.feeling}" if group.feeling else ""
    return " · ".join(filter(None, (group.figures, feels, name, place)))


class _Laying:
    def __init__(self, graph: JourneyGraph) -> None:
        self._graph = graph
        self._contents = [_Content(group, graph) for group in graph.groups]
        self._placed = Placed()
        self._bands: list[Band] = []
        self._leaving: list[tuple[str, list[Point]]] = []
        first = self._of("entry", "exits")
        self._first = sum(each.width for each in first) + BETWEEN_BANDS * (len(first) - 1)
        self._width = max([NARROWEST, self._first, *(each.width for each in self._contents)])

    def layout(self) -> Layout:
        graph = self._graph
        title = wrapped(drawable(graph.title), self._width, TITLE, 3)
        goal = f"goal: {graph.goal}" if graph.goal else ""
        facts = (graph.journey, f"owner: {graph.owner}", goal, f"version {graph.version[:12]}")
        note = wrapped(drawable(" · ".join(filter(None, facts))), self._width, QUIET, 3)
        y = EDGE + TITLE.leading * len(title) + QUIET.leading * len(note) + 18
        y = self._row(self._of("entry", "exits"), y)
        y += BETWEEN_BANDS
        for each in self._of("stage"):
            y = self._band(each, EDGE, y, self._width) + BETWEEN_BANDS
        for row in self._rows(self._of(*ASIDE)):
            y = self._row(row, y) + BETWEEN_BANDS
        self._enter()
        lanes = self._lanes()
        width = EDGE + self._width + (LANES + LANE * lanes if lanes else 0) + EDGE
        return Layout(width, y - BETWEEN_BANDS + EDGE, title, note, self._bands, self._placed)

    def _of(self, *kinds: str) -> list[_Content]:
        return [each for each in self._contents if each.group.kind in kinds]

    def _rows(self, contents: list[_Content]) -> Iterator[list[_Content]]:
        """As many beside each other as there is room for; one that leads to a stage is the last of its row."""
        row: list[_Content] = []
        for each in contents:
            taken = sum(other.width + BETWEEN_BANDS for other in row)
            if row and (row[-1].leaves or taken + each.width > self._width):
                yield row
                row = []
            row.append(each)
        if row:
            yield row

    def _row(self, row: list[_Content], y: float) -> float:
        left = self._width - sum(each.width for each in row) - BETWEEN_BANDS * (len(row) - 1)
        x, share = EDGE, left / len(row)
        tallest = max(each.height(each.width + share) for each in row)
        for each in row:
            self._band(each, x, y, each.width + share, tallest)
            x += each.width + share + BETWEEN_BANDS
        return y + tallest

    def _band(
        self, content: _Content, x: float, y: float, width: float, height: float | None = None
    ) -> float:
        height = height or content.height(width)
        group, title = content.group, content.title(width)
        self._bands.append(Band(group, title, content.note, x, y, width, height))
        inner = sum(block.width for block in content.blocks)
        inner += BETWEEN_BLOCKS * (len(content.blocks) - 1)
        left = x + (width - inner) / 2
        for block in content.blocks:
            axis = left + block.width / 2
            end = self._placed.block(block, axis, y + content.head(width), self._leave)
            if group.kind in ASIDE and block.trees[-1].falls:
                self._placed.lines.append(Line([(axis, end), (axis, end + 16)]))
                self._placed.dots.append((axis, end + 16))
            left += block.width + BETWEEN_BLOCKS
        return y + height

    # -- the lines between the bands

    def _leave(self, stage: str, points: list[Point]) -> None:
        self._leaving.append((stage, points))

    def _enter(self) -> None:
        """From the entry to the first stage."""
        entry = self._bands[0]
        stage = next(band for band in self._bands if band.group.kind == "stage")
        x = entry.x + entry.width / 2
        self._placed.lines.append(Line([(x, entry.y + entry.height), (x, stage.y)], arrow=True))

    def _lanes(self) -> int:
        """Lines to stages, each stage by a lane of its own; the answer is how many lanes there are."""
        stages = {band.group.name: band for band in self._bands if band.group.kind == "stage"}
        wanted = [name for name in stages if any(name == stage for stage, _ in self._leaving)]
        for stage, points in self._leaving:
            band = stages[stage]
            x = band.x + band.width + LANES + LANE * wanted.index(stage)
            y = band.y + 24
            ends = [(x, points[-1][1]), (x, y), (band.x + band.width, y)]
            self._placed.lines.append(Line([*points, *ends], "go", arrow=True))
        return len(wanted)
