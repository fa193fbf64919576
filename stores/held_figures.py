"""Tables that hold sums over all customers, and nobody's."""

from typing import LiteralString

from stores.held_rules import FIGURE, Held, Stays

TABLES_OF_FIGURES: dict[LiteralString, Held] = {
    "suggestion_counts": Held(
        erase=Stays("sums over all customers"),
        withheld={FIGURE: "key place slot shown taken refused"},
    ),
    "figure_moves": Held(
        erase=Stays("sums over all customers"), withheld={FIGURE: "journey version facts"}
    ),
    "journey_figures": Held(
        erase=Stays("sums over all customers"),
        withheld={FIGURE: "journey span at version address kind way n milliseconds"},
    ),
    "kept_figures": Held(
        erase=Stays("what is counted of whoever was erased, so that sums stay true"),
        withheld={FIGURE: "journey version hour address kind way n milliseconds"},
    ),
    "figures_standing": Held(erase=Stays("of us"), withheld={FIGURE: "one_row counted_at"}),
}
