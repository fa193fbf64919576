"""What a rule of `stores.held_tables` says of one table."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import LiteralString


@dataclass(slots=True, frozen=True)
class Goes:
    """Its rows of the customer are deleted."""


@dataclass(slots=True, frozen=True)
class Changes:
    """Its rows stay without the customer: these columns are set anew; the others stay, for this reason."""

    columns: Mapping[LiteralString, LiteralString]
    why: str


@dataclass(slots=True, frozen=True)
class Stays:
    """Erasure leaves it as it is, for this reason."""

    why: str


@dataclass(slots=True, frozen=True, kw_only=True)
class Held:
    """One table.

    `whose`: finds the customer's rows (as `t`) by what `stores.erased_rows.Sought` names; none
    where no row is anybody's. `called`: its name in an export; `gives`: columns that are given,
    in order; `more`: further values, by name; `order`: how rows are sorted. `withheld`: why →
    columns that are not given.
    """

    erase: Goes | Changes | Stays
    whose: LiteralString = ""
    called: LiteralString = ""
    gives: LiteralString = ""
    more: Mapping[LiteralString, LiteralString] = field(
        default_factory=dict["LiteralString", "LiteralString"]
    )
    order: LiteralString = "1"
    withheld: Mapping[str, LiteralString] = field(default_factory=dict[str, "LiteralString"])

    @property
    def given(self) -> tuple[LiteralString, ...]:
        """The columns that an export gives."""
        return tuple(self.gives.split())

    @property
    def columns(self) -> list[str]:
        """Every column that has a rule of export."""
        return [*self.given, *(each for names in self.withheld.values() for each in names.split())]


def unquoted(column: str) -> str:
    """A column's name as the catalogue has it."""
    return column.strip('"')
