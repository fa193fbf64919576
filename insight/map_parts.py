"""What a customer-journey map is made of: columns along the way, rows from the customer to the measures."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Row = Literal["customer", "front", "staff", "data", "measures"]

ROWS: dict[Row, str] = {
    "customer": "What the customer does",
    "front": "What we say and promise",
    "staff": "Who works behind the scenes",
    "data": "What we know and may use",
    "measures": "How one would know",
}
"""Rows from the customer down, with their titles; the feeling stands behind the first."""

FEELING = "How the customer feels"

CardKind = Literal["touchpoint", "message", "promise", "staff", "system", "data", "outcome", "goal"]


@dataclass(slots=True, frozen=True, kw_only=True)
class Card:
    """One thing on the map. `chips`: where it is met, or by which channel; `why`: the customer's own reason."""

    kind: CardKind
    title: str
    chips: tuple[str, ...] = ()
    why: str = ""
    notes: tuple[str, ...] = ()


@dataclass(slots=True, frozen=True)
class Feeling:
    """A feeling in one word, and what says so: a stage or a touchpoint."""

    word: str
    of: str


ColumnKind = Literal["begin", "stage", "anytime", "end"]


@dataclass(slots=True, kw_only=True)
class Column:
    """A part of the way. `feeling` stands on the curve; `feelings` stand beside it, each by itself."""

    kind: ColumnKind
    title: str
    feeling: Feeling | None = None
    feelings: list[Feeling] = field(default_factory=list[Feeling])
    cells: dict[Row, list[Card]] = field(default_factory=dict[Row, list[Card]])

    def add(self, row: Row, card: Card) -> None:
        """Put a card into a row; the same one is there once."""
        cell = self.cells.setdefault(row, [])
        if card not in cell:
            cell.append(card)


@dataclass(slots=True, frozen=True)
class Told:
    """Somebody or something beside the map: a persona, a shared goal."""

    title: str
    lines: tuple[str, ...]


@dataclass(slots=True, frozen=True, kw_only=True)
class JourneyMap:
    """A customer-journey map."""

    journey: str
    title: str
    description: str
    owners: str
    personas: tuple[Told, ...]
    goals: tuple[Told, ...]
    columns: tuple[Column, ...]

    def rows(self) -> Mapping[Row, str]:
        """The rows that hold something."""
        return {
            row: title for row, title in ROWS.items() if any(c.cells.get(row) for c in self.columns)
        }
