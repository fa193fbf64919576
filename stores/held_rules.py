"""What a rule of `stores.held_tables` says of one table."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import LiteralString

OURS = "how we keep it; it says nothing of the customer"
WHO = "our id of the customer, said once at the head of the export"
TELLS = "a number or id that ties rows of ours together"
WORK = "routing: it is there for moments, and what is routed is given as touchpoints"
WROTE = "what the business wrote, the same for every customer"
NOBODY = "not of a customer"
FIGURE = "a sum over all customers"
DOOR = "opens a door: whoever holds it could act as the customer's device"

MINE: LiteralString = "t.customer = any(%(ids)s)"
OF_RUN: LiteralString = "t.entry = any(%(entries)s)"
MINE_OR_RUN: LiteralString = f"({MINE} or {OF_RUN})"


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
