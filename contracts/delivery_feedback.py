"""What a provider reports of a message after it took it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Kind = Literal["delivered", "opened", "clicked", "bounced", "complained", "unsubscribed"]


@dataclass(slots=True, frozen=True, kw_only=True)
class Feedback:
    """One thing that a provider reports of one message.

    `event_id` is the provider's name and its id of the event: told again, it is the same.
    `mark` is ours (`delivery_mark`), or the delivery's key where a provider carries that whole.
    `provider_ids`: by which the ledger may know the message where it has no mark. `hard`: of a
    bounce, that no later message would get through either. `machine`: the provider says that a
    program opened it, not a person. `detail` is in the provider's words.
    """

    event_id: str
    kind: Kind
    at: datetime
    mark: str = ""
    provider_ids: tuple[str, ...] = ()
    detail: str = ""
    hard: bool = False
    machine: bool = False
    url: str = ""
