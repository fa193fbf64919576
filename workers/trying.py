"""A process that tries one thing and ends: `python -m workers.trying` reads an order and writes what came of it.

What is tried is written by whoever edits a journey, and may want all time and memory that there are: here it
has a bound on both, and nobody waits for it but its member.
"""

import os
import resource
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psycopg

from activities.message_text import PublishedMessage
from channels.message_variants import brief_fault, in_words, message_fault
from insight.backtest_customers import BacktestStoppedError
from insight.month_tried import TooMuchToTryError, month_tried
from insight.stories_tried import stories_tried
from insight.tried import (
    ORDER,
    TRIED,
    MonthOrder,
    MonthTried,
    NotTried,
    StoriesOrder,
    StoriesTried,
)
from stores.recorded_past import OpenRecordedPast

MOST_MEMORY = 2**30
"""Bytes of addresses. What wants more goes in circles."""

LESS_URGENT = 10
"""Customers come first: it takes the time that others leave."""

_FIRST_TO_GO = "1000"
"""Where a container has no memory left, this process is ended and not the server beside it (`man 5 proc`)."""


def main() -> None:
    """Read the order, try, and tell."""
    os.nice(LESS_URGENT)
    with suppress(OSError):  # not on every system
        Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_GO, encoding="ascii")
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = MOST_MEMORY if hard == resource.RLIM_INFINITY else min(MOST_MEMORY, hard)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    sys.stdout.buffer.write(TRIED.dump_json(tried(ORDER.validate_json(sys.stdin.buffer.read()))))


def tried(order: MonthOrder | StoriesOrder) -> MonthTried | StoriesTried | NotTried:
    """Try it, and say why where it cannot be."""
    began = time.perf_counter()
    try:
        found = _month(order) if isinstance(order, MonthOrder) else _stories(order)
    except (TooMuchToTryError, BacktestStoppedError) as error:
        return NotTried(why=str(error))
    except psycopg.errors.QueryCanceled:
        return NotTried(
            why="So much happened that the database did not count it in time: "
            "clew backtest plays it from a file."
        )
    except psycopg.OperationalError:
        return NotTried(why="The database does not answer; try again.")
    except OSError as error:
        return NotTried(why=f"What happened has no room on this machine's disk: {error.strerror}.")
    except (MemoryError, RecursionError):
        return NotTried(why="It wanted more memory than it may have: does it go in circles?")
    except OverflowError:
        return NotTried(why="It goes beyond the times that there are: write shorter spans.")
    found.seconds = round(time.perf_counter() - began, 1)
    return found


def _month(order: MonthOrder) -> MonthTried:
    with tempfile.TemporaryDirectory(prefix="clew-trying-") as folder:
        return month_tried(order, OpenRecordedPast(url=order.url), Path(folder))


def _stories(order: StoriesOrder) -> StoriesTried:
    messages = {
        each.name: PublishedMessage(
            name=each.name, revision=each.revision, source=each.source, shared=each.shared
        )
        for each in order.messages
    }
    return stories_tried(
        order,
        in_words,
        message=lambda name, values: message_fault(messages[name], values),
        brief=brief_fault,
    )


if __name__ == "__main__":
    main()
