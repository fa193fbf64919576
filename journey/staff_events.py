"""What staff learned at a case, as touchpoints that a journey can wait for.

`Case Noted` is the customer's: `case`, `queue`, `decision`, `note`, `feeling`, `by`. `Staff Lacked` is of the
member of staff, whose journey it is then: `case`, `queue`, `decision`, `lacked`, `member`.
"""

CASE_NOTED = "Case Noted"
STAFF_LACKED = "Staff Lacked"

STAFF_EVENTS = frozenset({CASE_NOTED, STAFF_LACKED})
"""Made by us from what staff say at their cases; nobody outside sends or describes them."""

STAFF_IDENTITY = "staff"
"""Kind of identity by which a member of staff is found where a journey is theirs: `staff:<member>`."""
