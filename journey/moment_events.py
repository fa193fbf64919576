"""What happens in the moment and around problems, as touchpoints that a journey can wait for.

Properties of `Suggestion …`: `suggestion` (its id), `name` (the id of the `show` step), `journey`,
`run` (the workflow id), `place`, `by`. Of `Problem …`: `problem`, `title`, `words`, `how` the
customer is touched, `called` and `case` where they have an open case about it, `subject`, `told`
(whether they heard of it from us before), and what else was said when it was opened or updated;
`Problem Mended` adds `ask`: true once for each customer and problem.
"""

from typing import Literal

Told = Literal["shown", "taken", "refused"]
"""What became of a suggestion."""

SHOWN = "Suggestion Shown"
TAKEN = "Suggestion Taken"
REFUSED = "Suggestion Refused"

EVENT_OF: dict[Told, str] = {"shown": SHOWN, "taken": TAKEN, "refused": REFUSED}

PROBLEM_OPENED = "Problem Opened"
PROBLEM_UPDATED = "Problem Updated"
PROBLEM_MENDED = "Problem Mended"

MOMENT_EVENTS = frozenset({SHOWN, TAKEN, REFUSED, PROBLEM_OPENED, PROBLEM_UPDATED, PROBLEM_MENDED})
"""Made by us; nobody outside sends or describes them, every journey may name them."""
