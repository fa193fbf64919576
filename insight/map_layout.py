"""Where everything of a customer-journey map stands: lanes of cards, rows as high as the fullest of them."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from insight.drawn_text import Type, width_of, wrapped
from insight.map_parts import FEELING, Card, Column, JourneyMap, Row, Told

TITLE = Type(27, 34, bold=True)
HEAD = Type(14.5, 18, bold=True)
ROW_TITLE = Type(12.5, 16, bold=True)
CARD_TITLE = Type(12.5, 16, bold=True)
NOTE = Type(11, 14.5)
CHIP = Type(10, 13)
TEXT = Type(13, 19)

EDGE, HEADING, LANE, GAP, INSIDE, BETWEEN = 36.0, 132.0, 204.0, 16.0, 11.0, 9.0
CHIP_HEIGHT, CHIP_PADDING = 16.0, 7.0
FEELING_HEIGHT = 208.0
UNSEEN = 14.0
"""Room above what staff do, for the line below which the customer sees nothing."""
TOLD = 330.0
_CARDS_A_LANE = 4


@dataclass(slots=True, frozen=True, kw_only=True)
class Chip:
    """Where a touchpoint is met or how a message goes, placed in its card."""

    text: str
    x: float
    y: float
    width: float


@dataclass(slots=True, kw_only=True)
class PlacedCard:
    """A card with its text broken into lines."""

    card: Card
    x: float
    y: float
    height: float
    title: list[str]
    chips: list[Chip]
    why: list[str]
    notes: list[list[str]]

    @property
    def text_height(self) -> float:
        """How high the lines below title and chips are."""
        return (len(self.why) + sum(map(len, self.notes))) * NOTE.leading


@dataclass(slots=True, frozen=True, kw_only=True)
class PlacedTold:
    """A persona or a shared goal with its text broken into lines."""

    told: Told
    x: float
    y: float
    width: float
    height: float
    title: list[str]
    lines: list[list[str]]


@dataclass(slots=True, frozen=True, kw_only=True)
class Band:
    """A row across the page. `row`: None where it is the one of the feeling."""

    row: Row | None
    title: list[str]
    y: float
    height: float


@dataclass(slots=True, kw_only=True)
class Layout:
    """The page: sizes in pixels."""

    width: float = 0
    height: float = 0
    title: list[str] = field(default_factory=list[str])
    text: list[str] = field(default_factory=list[str])
    owners: list[str] = field(default_factory=list[str])
    head_y: float = 0
    head_height: float = 0
    heads: list[list[str]] = field(default_factory=list[list[str]])
    spans: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])
    """Of each column: where it begins, and how wide it is."""
    bands: list[Band] = field(default_factory=list[Band])
    cards: list[PlacedCard] = field(default_factory=list[PlacedCard])
    personas: list[PlacedTold] = field(default_factory=list[PlacedTold])
    goals: list[PlacedTold] = field(default_factory=list[PlacedTold])
    goals_title_y: float = 0


def laid_out(drawn: JourneyMap) -> Layout:
    """The whole page of a map."""
    page = Layout()
    x = EDGE + HEADING
    for column in drawn.columns:
        lanes = _lanes(column)
        width = lanes * LANE + (lanes - 1) * BETWEEN
        page.spans.append((x, width))
        x += width + GAP
    page.width = max(x - GAP + INSIDE + EDGE, 900)
    inner = page.width - 2 * EDGE
    page.title = wrapped(drawn.title, inner, TITLE, 3)
    page.owners = wrapped(f"{drawn.journey} · {drawn.owners}", inner, TEXT, 3)
    page.text = wrapped(drawn.description, min(inner, 980), TEXT, 8)
    y = EDGE + len(page.title) * TITLE.leading + len(page.owners) * TEXT.leading + 6
    y += len(page.text) * TEXT.leading + 14
    page.personas, y = _beside(drawn.personas, y, inner)
    page.heads = [
        wrapped(column.title, width - 34, HEAD, 4)
        for column, (_, width) in zip(drawn.columns, page.spans, strict=True)
    ]
    page.head_y = y
    page.head_height = max(map(len, page.heads)) * HEAD.leading + 22
    y += page.head_height + GAP
    y = _rows(drawn, page, y)
    if drawn.goals:
        page.goals_title_y = y + 18
        page.goals, y = _beside(drawn.goals, y + 34, inner)
    page.height = y + EDGE - GAP
    return page


def _lanes(column: Column) -> int:
    most = max((len(cards) for cards in column.cells.values()), default=0)
    return max(1, min(3, -(-most // _CARDS_A_LANE)))


def _rows(drawn: JourneyMap, page: Layout, y: float) -> float:
    for row, title in drawn.rows().items():
        y = _row(drawn, page, row, title, y)
        if row == "customer":
            y = _feeling(page, y)
    return y


def _feeling(page: Layout, y: float) -> float:
    title = wrapped(FEELING, HEADING - 56, ROW_TITLE, 4)
    page.bands.append(Band(row=None, title=title, y=y, height=FEELING_HEIGHT))
    return y + FEELING_HEIGHT + GAP


def _row(drawn: JourneyMap, page: Layout, row: Row, title: str, y: float) -> float:
    if row == "staff":
        y += UNSEEN
    lowest = y + 60.0
    for column, (x, _) in zip(drawn.columns, page.spans, strict=True):
        ends = [y + INSIDE] * _lanes(column)
        for card in column.cells.get(row, []):
            lane = ends.index(min(ends))
            placed = _placed(card, x + lane * (LANE + BETWEEN), ends[lane])
            page.cards.append(placed)
            ends[lane] += placed.height + BETWEEN
        lowest = max(lowest, *ends)
    height = lowest - BETWEEN + INSIDE - y
    lines = wrapped(title, HEADING - 34, ROW_TITLE, 5)
    page.bands.append(Band(row=row, title=lines, y=y, height=height))
    return y + height + GAP


def _placed(card: Card, x: float, y: float) -> PlacedCard:
    inner = LANE - 2 * INSIDE - 4
    title = wrapped(card.title, inner, CARD_TITLE, 5)
    below = y + 9 + len(title) * CARD_TITLE.leading
    chips = list(_chips(card.chips, x + INSIDE + 4, below + 2, inner))
    if chips:
        below = chips[-1].y + CHIP_HEIGHT + 3
    why = wrapped(card.why, inner, NOTE, 6)
    notes = [wrapped(note, inner, NOTE, 6) for note in card.notes]
    placed = PlacedCard(
        card=card, x=x, y=y, height=0, title=title, chips=chips, why=why, notes=notes
    )
    placed.height = below + placed.text_height + (11 if why or notes else 8) - y
    return placed


def _chips(texts: tuple[str, ...], left: float, y: float, inner: float) -> Iterator[Chip]:
    x = left
    for text in texts:
        [said] = wrapped(text, inner - 2 * CHIP_PADDING, CHIP, 1) or [""]
        width = width_of(said, CHIP) + 2 * CHIP_PADDING
        if x > left and x + width > left + inner:
            x, y = left, y + CHIP_HEIGHT + 3
        yield Chip(text=said, x=x, y=y, width=width)
        x += width + 4


def _beside(those: tuple[Told, ...], y: float, inner: float) -> tuple[list[PlacedTold], float]:
    """Personas or goals in rows side by side, all of a row equally high."""
    if not those:
        return [], y
    across = max(1, min(len(those), int((inner + GAP) // (TOLD + GAP))))
    width = min((inner - (across - 1) * GAP) / across, 460)
    placed: list[PlacedTold] = []
    for begin in range(0, len(those), across):
        texts = [_told_lines(each, width - 66) for each in those[begin : begin + across]]
        height = max(_told_height(*text) for text in texts)
        for index, (title, lines) in enumerate(texts):
            placed.append(
                PlacedTold(
                    told=those[begin + index],
                    x=EDGE + index * (width + GAP),
                    y=y,
                    width=width,
                    height=height,
                    title=title,
                    lines=lines,
                )
            )
        y += height + GAP
    return placed, y + 4


def _told_lines(each: Told, width: float) -> tuple[list[str], list[list[str]]]:
    lines = [wrapped(line, width, NOTE, 6) for line in each.lines]
    return wrapped(each.title, width, CARD_TITLE, 3), lines


def _told_height(title: list[str], lines: list[list[str]]) -> float:
    return 22 + len(title) * CARD_TITLE.leading + sum(map(len, lines)) * NOTE.leading + 4
