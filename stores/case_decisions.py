"""Why a case takes no decision any more."""


class CaseAlreadyDecidedError(Exception):
    """Somebody decided this case first; the message says who, and what."""


class CaseClosedError(Exception):
    """The journey needs this case no more; the message says why."""


class CaseAlreadyClaimedError(Exception):
    """Somebody else works on this case; the message says who."""


class NotYoursError(Exception):
    """Somebody else has this case, or nobody; the message says who, and what to do."""


class ApprovalRefusedError(Exception):
    """Nothing waits to be approved here, or not by this member; the message says why."""


REFUSALS: tuple[type[Exception], ...] = (
    CaseAlreadyClaimedError, CaseAlreadyDecidedError, CaseClosedError, NotYoursError,
)  # fmt: skip
"""What a case says no with to whoever wants to work on it."""
