"""Showing cases at a desk outside as they stand, and taking what is decided there: each once, whatever crashes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

import structlog
from pydantic import JsonValue

from activities.message_channel import (
    ProviderBusyError,
    ProviderRefusedError,
    UnknownOutcomeError,
)
from activities.staff_cases import UnknownCaseError
from contracts.outside_desk import DecidedOutside, OutsideDesk, ShownCase
from journey.decision_line import read_decision_line
from journey.decisions import AuthorityExceededError, UnknownDecisionError, WrongFieldError
from routing.background_work import pause_after

PAUSES = tuple(timedelta(seconds=each) for each in (5, 30, 120, 600))
"""Between attempts at a desk that is away, the last of them again and again."""


class NobodyHereError(Exception):
    """Whoever decided at a desk outside is no member of staff."""


REFUSALS: tuple[type[Exception], ...] = (
    NobodyHereError, UnknownDecisionError, WrongFieldError, AuthorityExceededError, UnknownCaseError,
)  # fmt: skip
_log = structlog.get_logger(__name__)


class HeldDesk(Protocol):
    """A desk that is ours for a while; `stores.outside_desks.HeldDesk` says what each part is."""

    @property
    def told_to(self) -> int: ...
    @property
    def asked_to(self) -> str: ...
    @property
    def failures(self) -> int: ...
    @property
    def asks(self) -> bool: ...


class Desks(Protocol):
    """What is kept of desks; `stores.outside_desks` says what each guarantees."""

    async def hold(self, desk: str) -> HeldDesk | None: ...
    async def changed(self, since: int) -> list[tuple[str, int]]: ...
    async def shown(self, case: str, desk: str) -> tuple[ShownCase, str | None] | None: ...
    async def keep(self, case: str, desk: str, outside_id: str) -> None: ...
    async def told(self, desk: str, event: int) -> None: ...
    async def taken(self, case: str, desk: str) -> str: ...
    async def take(self, case: str, desk: str, seen: str) -> None: ...
    async def let_go(self, desk: str, asked_to: str | None) -> None: ...
    async def failed(self, desk: str, why: str, pause: timedelta) -> None: ...


class Cases(Protocol):
    """Where cases are decided."""

    async def decide(
        self, case: str, decision: str, fields: Mapping[str, JsonValue], *, by: str
    ) -> object: ...


class Members(Protocol):
    """Who works here."""

    async def of_email(self, email: str) -> Any: ...


@dataclass(slots=True, frozen=True, kw_only=True)
class DeskMirror:
    """One desk outside. State is shown and not what happened: many changes are one, and the last one counts.

    `refused`: what `cases` says no with, besides what is wrong with a decision.
    """

    desk: OutsideDesk
    desks: Desks
    cases: Cases
    members: Members
    refused: tuple[type[Exception], ...] = ()

    async def round(self) -> bool:
        """Show what changed and take what was decided; whether there may be more."""
        held = await self.desks.hold(self.desk.name)
        if held is None:
            return False
        try:
            changed = await self.desks.changed(held.told_to)
            for case, event in changed:
                await self._show(case)
                await self.desks.told(self.desk.name, event)
            asked_to = await self._hear(held.asked_to) if held.asks else None
        except (ProviderBusyError, UnknownOutcomeError) as error:
            pause = pause_after(held.failures, PAUSES, error)
            await self.desks.failed(self.desk.name, str(error), pause)
            _log.warning("desk_outside_failed", desk=self.desk.name, error=str(error))
            return False
        await self.desks.let_go(self.desk.name, asked_to)
        return bool(changed)

    async def _hear(self, since: str) -> str:
        heard = await self.desk.heard(since)
        for decided in heard.decisions:
            await self._take(decided)
        return heard.asked_to

    async def _show(self, case: str) -> None:
        found = await self.desks.shown(case, self.desk.name)
        if found is None:
            return
        shown, known = found
        if known is None and shown.over:
            return  # it was over before it was shown: nobody there need know of it
        try:
            outside_id = await self.desk.put(shown, known)
        except ProviderRefusedError as error:  # of this case it wants nothing; the others go on
            _log.error("case_not_shown", desk=self.desk.name, case=case, error=str(error))
            return
        if outside_id and outside_id != known:
            await self.desks.keep(case, self.desk.name, outside_id)

    async def _take(self, decided: DecidedOutside) -> None:
        """Decide it here. Who died between that and writing it down decides again, and hears that it was decided."""
        name = self.desk.name
        if await self.desks.taken(decided.case, name) == decided.seen:
            return
        found = await self.desks.shown(decided.case, name)
        member = await self.members.of_email(decided.by)
        if found is None:
            return
        shown, _ = found
        try:
            if member is None or member.left_at is not None:
                raise NobodyHereError(f"{decided.by} is nobody who works here")
            decision, fields = read_decision_line(decided.line, shown.decisions)
            if (shown.decision, shown.decided_by) != (decision, member.member):
                await self.cases.decide(decided.case, decision, fields, by=member.member)
        except (*REFUSALS, *self.refused) as error:
            await self.desk.refuse(decided.outside_id, str(error))
        await self.desks.take(decided.case, name, decided.seen)
