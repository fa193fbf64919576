"""Tables of acts on all who wait at a step."""

from typing import LiteralString

from stores.held_rules import NOBODY, OF_RUN, TELLS, Goes, Held, Stays

TABLES_OF_BULK: dict[LiteralString, Held] = {
    "bulk_act_runs": Held(
        erase=Goes(),
        whose=OF_RUN,
        called="acts_on_runs",
        gives="state why due_at settled_at",
        order="act desc",
        withheld={TELLS: "act entry"},
    ),
    "bulk_acts": Held(
        erase=Stays("what staff ordered for all at a step; who they were goes with their runs"),
        withheld={
            NOBODY: "act form kind journey version address to_version to_step up_to seen_at shown"
            " reason ordered_by ordered_at halted_by halted_at"
        },
    ),
}
