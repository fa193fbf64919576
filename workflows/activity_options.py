"""Every time-out and retry of a run, named once by intent."""

from datetime import timedelta
from typing import TypedDict

from temporalio.common import RetryPolicy
from temporalio.workflow import ActivityCancellationType


class LocalOptions(TypedDict):
    """Options of a local activity."""

    start_to_close_timeout: timedelta
    schedule_to_close_timeout: timedelta
    retry_policy: RetryPolicy


class ActivityOptions(TypedDict):
    """Options of an activity."""

    start_to_close_timeout: timedelta
    retry_policy: RetryPolicy
    cancellation_type: ActivityCancellationType


class CallOptions(ActivityOptions):
    """Options of an activity that is given up after a while."""

    schedule_to_close_timeout: timedelta


LOOKED_UP: LocalOptions = {
    "start_to_close_timeout": timedelta(seconds=5),
    "schedule_to_close_timeout": timedelta(seconds=8),
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(milliseconds=100),
        maximum_interval=timedelta(seconds=1),
        maximum_attempts=4,
    ),
}
"""A short look into our own database within the workflow task. Where it fails, the same is asked as `WRITTEN`."""

WRITTEN: ActivityOptions = {
    "start_to_close_timeout": timedelta(seconds=30),
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1)
    ),
    "cancellation_type": ActivityCancellationType.TRY_CANCEL,
}
"""A write to our own database: tried until it is there; it is back when the database is."""

DELIVERED: ActivityOptions = {
    # Longer than a channel may take (15 s); shorter than the ledger's lease (30 s), so that a worker
    # that died costs its message no more than that.
    "start_to_close_timeout": timedelta(seconds=25),
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=2)
    ),
    "cancellation_type": ActivityCancellationType.TRY_CANCEL,
}
"""A message to a provider: tried while it is worth it. What is too late is refused by the activity itself."""

CALLED: CallOptions = {
    "start_to_close_timeout": timedelta(seconds=30),
    "schedule_to_close_timeout": timedelta(minutes=10),
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=2)
    ),
    "cancellation_type": ActivityCancellationType.TRY_CANCEL,
}
"""A service outside: tried for some minutes; then the journey goes its way without it."""

FOUND: ActivityOptions = {
    "start_to_close_timeout": timedelta(seconds=30),
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(seconds=5), maximum_interval=timedelta(minutes=10)
    ),
    "cancellation_type": ActivityCancellationType.TRY_CANCEL,
}
"""Something that people must mend first: asked for again until it is there, seldom."""
