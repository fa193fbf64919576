"""A customer-journey map as a table in Markdown, for those who do not look at pictures."""

from collections.abc import Iterator

from insight.map_parts import FEELING, Card, Column, Feeling, JourneyMap, Told
from journey.feeling_words import level


def markdown_of(drawn: JourneyMap) -> str:
    """The map as a Markdown document: the same as the picture says."""
    return "\n".join(_lines(drawn)) + "\n"


def _lines(drawn: JourneyMap) -> Iterator[str]:
    yield f"# {_plain(drawn.title)}"
    yield ""
    yield _plain(f"The map of the journey {drawn.journey}, {drawn.owners}.")
    if drawn.description:
        yield ""
        yield _plain(drawn.description)
    yield from _told("For", drawn.personas)
    yield ""
    yield _row("", [f"**{_plain(column.title)}**" for column in drawn.columns])
    yield "|" + " --- |" * (len(drawn.columns) + 1)
    for row, title in drawn.rows().items():
        cells = ["<br>".join(map(_card, c.cells.get(row, []))) for c in drawn.columns]
        yield _row(f"**{title}**", cells)
        if row == "customer":
            yield _row(f"**{FEELING}**", [_felt(column) for column in drawn.columns])
    yield from _told("Goals that are shared", drawn.goals)


def _told(title: str, those: tuple[Told, ...]) -> Iterator[str]:
    if those:
        yield ""
        yield f"## {title}"
        yield ""
        for each in those:
            lines = " · ".join(map(_plain, each.lines))
            yield f"- **{_plain(each.title)}**" + (f": {lines}" if lines else "")


def _row(title: str, cells: list[str]) -> str:
    return f"| {title} | {' | '.join(cells)} |"


def _card(card: Card) -> str:
    where = f" ({_plain(', '.join(card.chips))})" if card.chips else ""
    sign = "★ " if card.kind == "goal" else ""
    notes = "".join(f"; {_plain(note)}" for note in (card.why, *card.notes) if note)
    return f"{sign}**{_plain(card.title)}**{where}{notes}"


def _felt(column: Column) -> str:
    felt = [column.feeling] if column.feeling else []
    return "<br>".join(_feeling(each, column) for each in [*felt, *column.feelings])


def _feeling(feeling: Feeling, column: Column) -> str:
    of = f", at {_plain(feeling.of)}" if feeling.of != column.title else ""
    return f"{_plain(feeling.word)} ({level(feeling.word)}{of})"


def _plain(text: str) -> str:
    """Text that means itself in a cell of a table."""
    said = " ".join(text.split())
    return "".join(f"\\{letter}" if letter in "\\|*_`<>[]#~" else letter for letter in said)
