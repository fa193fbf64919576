"""A journey's graph as SVG: whole in itself, light and dark, without a script; text stays text."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import dist
from xml.sax.saxutils import escape, quoteattr

from insight.drawn_text import Type, drawable, width_of
from insight.graph_blocks import CHIP, FIGURE, FRICTION, HEADLINE, ICON, PADDING
from insight.graph_layout import BAND_TITLE, EDGE, INSIDE, QUIET, TITLE, Band, Layout, laid_out
from insight.graph_parts import JourneyGraph
from insight.graph_placing import Chip, Line, PlacedCard, Point
from insight.graph_style import ICONS, STYLE, families

_INK = {HEADLINE: "ink", FIGURE: "figure", FRICTION: "friction"}
_ROUNDED = 7
_ARROW = 5


@dataclass(slots=True, frozen=True, kw_only=True)
class Linked:
    """How a picture is part of a page. `link`: where a step leads, by its address, if anywhere.

    `style`: whether it brings its own; a page that forbids styles within it serves `STYLE` as a file.
    """

    style: bool = True
    link: Callable[[str], str | None] = lambda _: None


def svg_of(graph: JourneyGraph, linked: Linked | None = None) -> str:
    """The picture as an SVG document, or as a part of a page."""
    layout, linked = laid_out(graph), linked or Linked()
    return "\n".join([*_head(graph, layout, linked), *_body(layout, linked), "</svg>", ""])


def _head(graph: JourneyGraph, layout: Layout, linked: Linked) -> Iterator[str]:
    width, height = round(layout.width), round(layout.height)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}" role="graphics-document" aria-labelledby="title description">'
    )
    yield f'<title id="title">{_safe(graph.title)}</title>'
    stages = ", ".join(group.title for group in graph.stages.values())
    told = f"The journey {graph.journey}, step by step. Its stages: {stages}."
    yield f'<desc id="description">{_safe(told)}</desc>'
    if linked.style:
        yield f"<style>{STYLE}</style>"
    yield f'<rect class="ground" width="{width}" height="{height}"/>'
    y: float = EDGE
    for lines, kind, name in ((layout.title, TITLE, "title"), (layout.note, QUIET, "quiet")):
        for line in lines:
            yield _text(line, EDGE, y + kind.leading * 0.75, kind, name)
            y += kind.leading


def _body(layout: Layout, linked: Linked) -> Iterator[str]:
    placed = layout.placed
    for band in layout.bands:
        yield from _band(band)
    order = {"way": 0, "round": 1, "go": 2}
    for line in sorted(placed.lines, key=lambda each: order[each.kind]):
        yield from _line(line)
    for x, y in placed.dots:
        yield f'<circle class="dot" cx="{_n(x)}" cy="{_n(y)}" r="4"/>'
    for chip in placed.chips:
        yield from _chip(chip)
    for card in placed.cards:
        link = linked.link(card.card.node.address)
        if link is not None:
            yield f"<a href={_attribute(link)}>"
        yield from _card(card)
        if link is not None:
            yield "</a>"


def _band(band: Band) -> Iterator[str]:
    place = f'x="{_n(band.x)}" y="{_n(band.y)}" width="{_n(band.width)}" height="{_n(band.height)}"'
    yield f'<g data-group={_attribute(band.group.name)}><rect class="band {band.group.kind}" {place} rx="16"/>'
    y = band.y + 14
    for line in band.title:
        yield _text(line, band.x + INSIDE, y + BAND_TITLE.leading * 0.75, BAND_TITLE, "ink")
        y += BAND_TITLE.leading
    if band.note:
        right = band.x + band.width - INSIDE
        yield _text(band.note, right, band.y + 29, QUIET, "quiet", "end")
    yield "</g>"


def _card(placed: PlacedCard) -> Iterator[str]:
    card, x, y = placed.card, placed.x, placed.y
    node = card.node
    family = "goal" if node.goal else families(node.kind)
    place = f'x="{_n(x)}" y="{_n(y)}" width="{_n(card.width)}" height="{_n(card.height)}"'
    radius = min(card.height / 2, 20) if card.is_pill else 11
    said = f"{node.address}: {', '.join(node.words)}"
    marked = " marked" if node.friction else ""
    yield f'<g class="card {family}{marked}" data-step={_attribute(node.address)}>'
    yield f"<title>{_safe(said)}</title>"
    yield f'<rect class="face" {place} rx="{_n(radius)}"/>'
    icon = ICONS["goal"] if node.goal else ICONS.get(node.kind, ICONS["step"])
    yield f'<g class="icon" transform="translate({_n(x + 12)} {_n(y + PADDING)})">{icon}</g>'
    baseline = y + PADDING
    for line in card.lines:
        name = _INK.get(line.kind, "quiet")
        below = line.kind.leading * 0.76
        yield _text(line.text, x + ICON, baseline + below, line.kind, name)
        baseline += line.kind.leading
    yield "</g>"


def _chip(chip: Chip) -> Iterator[str]:
    width = max(width_of(line, CHIP) for line in chip.lines) + 16
    height = len(chip.lines) * CHIP.leading + 6
    yield (
        f'<rect class="chip" x="{_n(chip.x - width / 2)}" y="{_n(chip.y)}" width="{_n(width)}"'
        f' height="{_n(height)}" rx="{_n(min(height / 2, 10))}"/>'
    )
    for index, line in enumerate(chip.lines):
        y = chip.y + 3 + CHIP.leading * (index + 0.76)
        yield _text(line, chip.x, y, CHIP, "chip-ink", "middle")


def _line(line: Line) -> Iterator[str]:
    points = [line.points[0]]
    for point in line.points[1:]:
        if dist(point, points[-1]) > 0.01:
            points.append(point)
    if len(points) < 2:
        return
    yield f'<path class="line {line.kind}" d="{_path(points)}"/>'
    if line.arrow:
        yield f'<path class="arrow {line.kind}" d="{_arrow(points[-2], points[-1])}"/>'


def _path(points: Sequence[Point]) -> str:
    """Through the points, with round corners."""
    told = f"M{_n(points[0][0])} {_n(points[0][1])}"
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        reach = min(_ROUNDED, dist(before, corner) / 2, dist(corner, after) / 2)
        into, out = _towards(corner, before, reach), _towards(corner, after, reach)
        told += f"L{_n(into[0])} {_n(into[1])}Q{_n(corner[0])} {_n(corner[1])}"
        told += f" {_n(out[0])} {_n(out[1])}"
    return f"{told}L{_n(points[-1][0])} {_n(points[-1][1])}"


def _towards(start: Point, end: Point, reach: float) -> Point:
    part = reach / dist(start, end)
    return start[0] + (end[0] - start[0]) * part, start[1] + (end[1] - start[1]) * part


def _arrow(before: Point, tip: Point) -> str:
    back = _towards(tip, before, min(_ARROW * 1.6, dist(tip, before)))
    aside = (back[1] - tip[1]) * 0.6, (tip[0] - back[0]) * 0.6
    corners = (
        tip,
        (back[0] + aside[0], back[1] + aside[1]),
        (back[0] - aside[0], back[1] - aside[1]),
    )
    return "M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in corners) + "Z"


def _text(words: str, x: float, y: float, kind: Type, name: str, anchor: str = "") -> str:
    anchored = f' text-anchor="{anchor}"' if anchor else ""
    weight = ' font-weight="600"' if kind.bold else ""
    return (
        f'<text class="{name}" x="{_n(x)}" y="{_n(y)}" font-size="{kind.size:g}"{weight}{anchored}>'
        f"{_safe(words)}</text>"
    )


def _safe(words: str) -> str:
    return escape(drawable(words))


def _attribute(words: str) -> str:
    return quoteattr(drawable(words))


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
