"""What staff learned at a case, and who proved to be whom, as touchpoints that a journey can wait for.

`Case Noted` is the customer's: `case`, `queue`, `decision`, `note`, `feeling`, `by`. `Staff Lacked` is of the
member of staff, whose journey it is then: `case`, `queue`, `decision`, `lacked`, `member`. `Identity Verified`
comes from whoever verified a customer, a desk or a switchboard: `how`, in words.
"""

CASE_NOTED = "Case Noted"
STAFF_LACKED = "Staff Lacked"
IDENTITY_VERIFIED = "Identity Verified"

STAFF_EVENTS = frozenset({CASE_NOTED, STAFF_LACKED})
"""Made by us from what staff say at their cases; nobody outside sends or describes them."""

STAFF_IDENTITY = "staff"
"""Kind of identity by which a member of staff is found where a journey is theirs: `staff:<member>`."""
