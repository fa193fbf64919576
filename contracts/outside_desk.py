"""A case as desks outside of ours show it (Slack, Zendesk, Salesforce), and what is decided there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from journey.effects import OfferedDecision


@dataclass(slots=True, frozen=True, kw_only=True)
class ShownCase:
    """A case as it stands now.

    `case`: its id, by which a desk knows it (an external id: putting it again changes what is there). `due`: the
    next deadline, on the wall. `holder`: the e-mail address of whoever has it. `link`: its page in our inbox.
    """

    case: str
    name: str
    title: str
    brief: str
    queue: str
    queue_title: str
    state: str
    over: bool
    customer: str
    link: str
    due: datetime | None = None
    holder: str | None = None
    holder_name: str = ""
    decision: str | None = None
    decided_by: str | None = None
    decisions: Mapping[str, OfferedDecision] = field(default_factory=dict[str, OfferedDecision])


@dataclass(slots=True, frozen=True, kw_only=True)
class DecidedOutside:
    """A decision that somebody took at a desk outside.

    `by`: their e-mail address there; `line`: as they wrote it, `refund amount=20`; `seen`: which version of the
    ticket it was, so that it is taken once.
    """

    case: str
    outside_id: str
    by: str
    line: str
    seen: str


@dataclass(slots=True, frozen=True, kw_only=True)
class HeardOutside:
    """What a desk outside told: decisions, the oldest first, and from where to ask next."""

    decisions: tuple[DecidedOutside, ...]
    asked_to: str


class OutsideDesk(Protocol):
    """One desk outside. Each call may be made twice, and is then as if it was made once.

    Raises of all: `ProviderBusyError`, `ProviderRefusedError`, `UnknownOutcomeError` (`activities.message_channel`).
    """

    name: str

    async def put(self, case: ShownCase, known: str | None) -> str:
        """Show a case as it stands; its id there. `known`: that id, where it was shown before."""
        ...

    async def heard(self, since: str) -> HeardOutside:
        """What was decided there since; `since` is empty at first. A desk that tells by itself has nothing here."""
        ...

    async def refuse(self, outside_id: str, words: str) -> None:
        """Say there why what was decided was not done, to whoever works there and to no customer."""
        ...
