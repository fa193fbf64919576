"""Why a file of a kept search could not be made, for those who wait for it, and when it is tried again."""

from datetime import timedelta

import psycopg
from psycopg import errors

from stores.run_search import TooWideError

FIRST_PAUSE = timedelta(minutes=5)
LONGEST_PAUSE = timedelta(days=1)


class UnreadableSearchError(ValueError):
    """What it asks for cannot be read: end it, and keep it anew."""


def pause_after(failures: int) -> timedelta:
    """How long to wait after so many failures in a row: each time twice as long, up to a day."""
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(max(failures, 1) - 1, 20))


def why_not(error: Exception) -> str:
    """What went wrong, in words; nothing of what was looked for, which may be a customer's."""
    match error:
        case TooWideError() | UnreadableSearchError():
            return str(error)
        case errors.QueryCanceled():
            return str(TooWideError.__doc__)
        case errors.DiskFull() | errors.ConfigurationLimitExceeded():
            return "The database has no room left for it on its disk."
        case errors.OutOfMemory() | MemoryError():
            return "It wanted more memory than there is: narrow it, or take fewer traits."
        case psycopg.OperationalError():
            return "The database broke off while it was made."
        case psycopg.Error(sqlstate=str(code)):
            return f"The database does not take it (SQLSTATE {code}): end it, and keep it anew."
        case _:
            return (
                f"Something is wrong with Clew ({type(error).__name__}): the router's log has it."
            )
