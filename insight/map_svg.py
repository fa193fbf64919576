"""A customer-journey map as SVG: whole in itself, light and dark, without a script; text stays text."""

from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from insight.drawn_text import Type, drawable
from insight.map_curve import REACH, SMALL, WORD, Dot, curve, dots
from insight.map_layout import (
    CARD_TITLE,
    CHIP,
    CHIP_HEIGHT,
    EDGE,
    FEELING_HEIGHT,
    GAP,
    HEAD,
    HEADING,
    INSIDE,
    LANE,
    NOTE,
    ROW_TITLE,
    TEXT,
    TITLE,
    UNSEEN,
    Band,
    Layout,
    PlacedCard,
    PlacedTold,
    laid_out,
)
from insight.map_parts import FEELING, ROWS, Column, JourneyMap
from insight.map_style import COLOURS, ICONS, PERSON, STAR, STYLE

NOT_DESCRIBED = "not described"
UNSEEN_WORDS = "what is below this line the customer does not see"
LEGEND = "full: along the way · hollow: at one touchpoint · dotted: a word that this map does not know, in the middle"
_POINT = 15


def svg_of(drawn: JourneyMap) -> str:
    """The picture as an SVG document."""
    page = laid_out(drawn)
    return "\n".join([*_top(drawn, page), *_body(drawn, page), "</svg>", ""])


def _top(drawn: JourneyMap, page: Layout) -> Iterator[str]:
    width, height = round(page.width), round(page.height)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}" role="graphics-document" aria-labelledby="title description">'
    )
    yield f'<title id="title">{_safe(drawn.title)}: the customer-journey map</title>'
    parts = ", ".join(column.title for column in drawn.columns)
    told = f"The journey {drawn.journey}, {drawn.owners}. From left to right: {parts}."
    yield f'<desc id="description">{_safe(told)}</desc>'
    yield f"<style>{STYLE}</style>"
    yield f'<rect class="f-ground" width="{width}" height="{height}"/>'
    y = EDGE
    for lines, kind, name in (
        (page.title, TITLE, "ink"),
        (page.owners, TEXT, "quiet"),
        (page.text, TEXT, "ink"),
    ):
        yield from _lines(lines, EDGE, y, kind, name)
        y += len(lines) * kind.leading + (6 if kind is TITLE or name == "quiet" else 0)


def _body(drawn: JourneyMap, page: Layout) -> Iterator[str]:
    for each in page.personas:
        yield from _told(each, PERSON, "stage")
    for column, lines, span in zip(drawn.columns, page.heads, page.spans, strict=True):
        yield from _head(column, lines, span, page)
    for band in page.bands:
        yield from _band(band, page)
        if band.row is None:
            yield from _feelings(drawn, page, band.y)
    for card in page.cards:
        yield from _card(card)
    if page.goals:
        yield _text("Goals that are shared", EDGE, page.goals_title_y, ROW_TITLE, "ink")
    for each in page.goals:
        yield from _told(each, STAR, "goal")


def _head(
    column: Column, lines: list[str], span: tuple[float, float], page: Layout
) -> Iterator[str]:
    (x, width), y, height = span, page.head_y, page.head_height
    ink = "on-stage"
    if column.kind == "end":
        yield f'<rect class="f-goal" {_place(x, y, width, height)} rx="8"/>'
        ink = "on-goal"
    elif column.kind == "anytime":
        yield f'<rect class="anytime" {_place(x, y, width, height)} rx="8"/>'
        ink = "ink"
    else:
        right, middle = x + width, y + height / 2
        tail = 0 if column.kind == "begin" else _POINT
        outline = (
            f"M{_n(x)} {_n(y)}H{_n(right - 3)}L{_n(right + _POINT - 3)} {_n(middle)}L{_n(right - 3)} {_n(y + height)}"
            f"H{_n(x)}L{_n(x + tail)} {_n(middle)}Z"
        )
        yield f'<path class="f-{"begin" if column.kind == "begin" else "stage"}" d="{outline}"/>'
    top = y + (height - len(lines) * HEAD.leading) / 2
    yield from _lines(lines, x + (26 if column.kind == "stage" else 16), top, HEAD, ink)


def _band(band: Band, page: Layout) -> Iterator[str]:
    width = page.width - 2 * EDGE
    yield f'<rect class="band" {_place(EDGE, band.y, width, band.height)} rx="12"/>'
    icon = ICONS[ROWS[band.row] if band.row else FEELING]
    yield f'<g class="icon" transform="translate({_n(EDGE + 13)} {_n(band.y + 12)})">{icon}</g>'
    yield from _lines(band.title, EDGE + 13, band.y + 36, ROW_TITLE, "ink")
    if band.row == "staff" and band is not page.bands[0]:
        y = band.y - (GAP + UNSEEN) / 2
        yield f'<path class="seen" d="M{_n(EDGE)} {_n(y)}H{_n(page.width - EDGE)}"/>'
        yield _text(UNSEEN_WORDS, EDGE + HEADING, y + 4, NOTE, "quiet over")


def _feelings(drawn: JourneyMap, page: Layout, top: float) -> Iterator[str]:
    middle = top + FEELING_HEIGHT / 2
    left, right = EDGE + HEADING - 12, page.width - EDGE - 14
    yield f'<path class="middle" d="M{_n(left)} {_n(middle)}H{_n(right)}"/>'
    smile, frown = "M6 11.2c1.7 2 4.3 2 6 0", "M6 12.6c1.7-2 4.3-2 6 0"
    for y, mouth in ((middle - REACH - 9, smile), (middle + REACH - 9, frown)):
        face = f'<circle cx="9" cy="9" r="7.5"/><path d="M6.4 6.8v.4M11.6 6.8v.4{mouth}"/>'
        yield f'<g class="icon" transform="translate({_n(left - 12)} {_n(y)})">{face}</g>'
    yield _text(LEGEND, EDGE + HEADING, top + FEELING_HEIGHT - 10, NOTE, "quiet")
    placed = dots(drawn.columns, page.spans, top)
    path = curve(placed)
    if path:
        yield f'<path class="curve" d="{path}"/>'
    for dot in placed:
        yield from _dot(dot)
    for dot in placed:
        kind = WORD if dot.on_curve else SMALL
        weight = ' font-weight="600"' if kind.bold else ""
        yield (
            f'<text class="word" x="{_n(dot.word_x)}" y="{_n(dot.word_y)}" font-size="{kind.size}"{weight}'
            f' text-anchor="middle">{_safe(dot.word)}</text>'
        )


def _dot(dot: Dot) -> Iterator[str]:
    name = "unknown" if not dot.known else "felt" if dot.on_curve else "beside"
    size = 7 if dot.on_curve else 5
    unknown = "" if dot.known else " (a word that the map does not know stands in the middle)"
    said = f"{dot.feeling.word}: {dot.feeling.of}{unknown}"
    yield (
        f'<circle class="{name}" cx="{_n(dot.x)}" cy="{_n(dot.y)}" r="{size}">'
        f"<title>{_safe(said)}</title></circle>"
    )


def _card(placed: PlacedCard) -> Iterator[str]:
    card, x, y = placed.card, placed.x, placed.y
    missing = NOT_DESCRIBED in card.notes
    colour = "missing" if missing else COLOURS[card.kind]
    yield f"<g data-kind={_attribute(card.kind)}>"
    yield f'<rect class="card" {_place(x, y, LANE, placed.height)} rx="7"/>'
    yield f'<rect class="f-{colour}" {_place(x, y, 4, placed.height)} rx="2"/>'
    left = x + INSIDE + 4
    yield from _lines(
        placed.title, left, y + 9, CARD_TITLE, "goal" if card.kind == "goal" else "ink"
    )
    for chip in placed.chips:
        yield f'<rect class="f-chip" {_place(chip.x, chip.y, chip.width, CHIP_HEIGHT)} rx="8"/>'
        yield _text(chip.text, chip.x + chip.width / 2, chip.y + 11.5, CHIP, "quiet", "middle")
    below = y + placed.height - 8 - placed.text_height
    yield from _lines(placed.why, left, below, NOTE, "ink")
    below += len(placed.why) * NOTE.leading
    for note, lines in zip(card.notes, placed.notes, strict=True):
        yield from _lines(lines, left, below, NOTE, "missing" if note == NOT_DESCRIBED else "quiet")
        below += len(lines) * NOTE.leading
    yield "</g>"


def _told(placed: PlacedTold, sign: str, colour: str) -> Iterator[str]:
    x, y = placed.x, placed.y
    yield f'<rect class="card" {_place(x, y, placed.width, placed.height)} rx="12"/>'
    yield f'<circle class="f-{colour}" cx="{_n(x + 28)}" cy="{_n(y + 28)}" r="17"/>'
    yield (
        f'<g transform="translate({_n(x + 19)} {_n(y + 19)})"><path class="f-card" d="{sign}"/></g>'
    )
    top = y + 12
    yield from _lines(placed.title, x + 56, top, CARD_TITLE, "ink")
    top += len(placed.title) * CARD_TITLE.leading + 2
    for lines in placed.lines:
        yield from _lines(lines, x + 56, top, NOTE, "quiet")
        top += len(lines) * NOTE.leading


def _lines(lines: list[str], x: float, y: float, kind: Type, name: str) -> Iterator[str]:
    for line in lines:
        yield _text(line, x, y + kind.leading * 0.75, kind, name)
        y += kind.leading


def _text(line: str, x: float, y: float, kind: Type, name: str, anchor: str = "start") -> str:
    weight = ' font-weight="600"' if kind.bold else ""
    anchored = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return (
        f'<text class="f-{name}" x="{_n(x)}" y="{_n(y)}" font-size="{kind.size}"{weight}{anchored}>'
        f"{_safe(line)}</text>"
    )


def _place(x: float, y: float, width: float, height: float) -> str:
    return f'x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}"'


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")


def _safe(text: str) -> str:
    return escape(drawable(text))


def _attribute(text: str) -> str:
    return quoteattr(drawable(text))
