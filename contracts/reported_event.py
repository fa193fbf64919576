"""What became of a delivery, as a mail system reported it to us by mail."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(slots=True, frozen=True, kw_only=True)
class ReportedEvent:
    """One report. The same `event_id` is one report, however often it comes.

    `delivery` is the key in the ledger, where it is known; otherwise one of `provider_ids` leads to
    it. `hard`: nothing that is sent to this address later would arrive either.
    """

    event_id: str
    kind: Literal["delivered", "bounced", "complained", "unsubscribed"]
    at: datetime
    delivery: str | None = None
    provider_ids: tuple[str, ...] = ()
    hard: bool = False
    detail: str = ""
