"""Sending one message once."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from contracts.journey_run import RunReference
from journey.effects import Deliver, RunRecord, SentRecord

MESSAGE_REJECTED = "MessageRejectedError"
"""Type of the non-retryable failure of a message that can never be sent, such as one that cannot be rendered."""


@dataclass(slots=True, frozen=True, kw_only=True)
class DeliverMessage:
    """Send a message under the ledger key `effect_key(run.workflow_id, run.entry, deliver.n)`.

    `record`, when given, is written down first: it rides here to save the run an event. So does
    `accepted`, how the run will stand once the message was accepted; written down after that.
    """

    run: RunReference
    deliver: Deliver
    held_out: bool = False
    record: SentRecord | None = None
    accepted: SentRecord | None = None


@dataclass(slots=True, frozen=True, kw_only=True)
class MessageDelivered:
    """What the ledger now says of the message.

    `accepted`: the provider has it. `refused`: not sent, `reason` says why (expired, no_consent,
    unreachable, suppressed, held_out, left, condition, bounced…). `deferred`: ask again at `until`
    (run time). `unknown`: it may or may not have left, and is not sent again. `words` say it to a
    person (`landed 14:02`).
    """

    state: Literal["accepted", "refused", "deferred", "unknown"]
    reason: str = ""
    words: str = ""
    channel: str | None = None
    until: datetime | None = None


def with_channel(accepted: RunRecord, channel: str | None) -> RunRecord:
    """The record that rode along for when a message was accepted, with the channel that it went by."""
    if channel is None:
        return accepted
    trace = (
        replace(entry, why=f"{entry.why} by {channel}") if entry.kind == "sent" else entry
        for entry in accepted.trace
    )
    return replace(accepted, trace=tuple(trace))
