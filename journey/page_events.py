"""What customers ask for on their own pages, as touchpoints that a journey can wait for.

`Person Wanted` has the properties `case`, `about`, `reach` and `run` (the workflow id, or null);
`Erasure Requested` has `case`.
"""

PERSON_WANTED = "Person Wanted"
ERASURE_REQUESTED = "Erasure Requested"

PAGE_EVENTS = frozenset({PERSON_WANTED, ERASURE_REQUESTED})
"""Made by us from what customers do on their pages; nobody outside describes them, every journey may name them."""
