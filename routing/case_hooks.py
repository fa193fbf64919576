"""Telling programs outside what happens to cases: each in order, again after a pause, and not for ever."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog
from pydantic import JsonValue

from activities.message_channel import (
    AddressGoneError,
    ProviderBusyError,
    ProviderRefusedError,
    UnknownOutcomeError,
)
from journey.case_news import TEST, going_out, kind_of
from routing.background_work import pause_after

SETTLED_SECONDS = 2
"""As long as `stores.case_events` lets an event rest before it is told."""

AT_ONCE = 50
"""Events that one hook is told before another has its turn."""

PAUSES = tuple(timedelta(seconds=each) for each in (5, 30, 120, 600, 1_800, 3_600))
"""Between attempts, the last of them again and again."""

OFF_AFTER = timedelta(days=3)
"""A hook that failed for so long is switched off."""

_log = structlog.get_logger(__name__)


class HookToTell(Protocol):
    """A hook; `stores.case_hooks.CaseHook` says what each part is."""

    @property
    def hook(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def kinds(self) -> tuple[str, ...]: ...
    @property
    def told_to(self) -> int: ...
    @property
    def failures(self) -> int: ...
    @property
    def failing_since(self) -> datetime | None: ...


class EventToTell(Protocol):
    """What happened; `stores.case_events.CaseEvent` says what each part is."""

    @property
    def event(self) -> int: ...
    @property
    def case(self) -> str: ...
    @property
    def at(self) -> datetime: ...
    @property
    def who(self) -> str: ...
    @property
    def did(self) -> str: ...
    @property
    def detail(self) -> dict[str, JsonValue]: ...
    @property
    def queue(self) -> str: ...


class Hooks(Protocol):
    """Where hooks are kept; `stores.case_hooks.CaseHookStore` says what each guarantees."""

    async def hold(self, settled_seconds: int) -> tuple[HookToTell, bytes] | None: ...
    async def told(self, hook: str, event: int) -> None: ...
    async def passed(self, hook: str, event: int) -> None: ...
    async def failed(self, hook: str, why: str, pause: timedelta) -> None: ...
    async def switch_off(self, hook: str, why: str) -> None: ...


class Events(Protocol):
    """Where it is kept what happened."""

    async def after(self, event: int, most: int) -> list[Any]: ...


class HookPost(Protocol):
    """The way to hooks; `channels.case_hook.CaseHookPost` says what it guarantees."""

    async def tell(
        self, url: str, secret: bytes, key: str, event: Mapping[str, JsonValue]
    ) -> None: ...


@dataclass(slots=True, frozen=True)
class CaseHooks:
    """Tells hooks, one of them each round. `wall_clock`: by which a hook fails too long."""

    hooks: Hooks
    events: Events
    post: HookPost
    wall_clock: Callable[[], datetime]

    async def round(self) -> bool:
        """Tell one hook a portion; whether there may be more."""
        held = await self.hooks.hold(SETTLED_SECONDS)
        if held is None:
            return False
        hook, secret = held
        happened: list[EventToTell] = await self.events.after(hook.told_to, AT_ONCE)
        for event in happened:
            if hook.kinds and kind_of(event.did) not in hook.kinds:
                continue
            if not await self._told(hook, secret, event):
                return True
        await self.hooks.passed(hook.hook, happened[-1].event if happened else hook.told_to)
        return True

    async def _told(self, hook: HookToTell, secret: bytes, event: EventToTell) -> bool:
        key = f"case-hook/{hook.hook}/{event.event}"
        try:
            await self.post.tell(hook.url, secret, key, news_of(event))
        except AddressGoneError as error:
            await self._off(hook, str(error))
            return False
        except (ProviderBusyError, ProviderRefusedError, UnknownOutcomeError) as error:
            await self._failed(hook, error)
            return False
        await self.hooks.told(hook.hook, event.event)
        return True

    async def _failed(self, hook: HookToTell, error: Exception) -> None:
        since = hook.failing_since
        if since is not None and self.wall_clock() - since >= OFF_AFTER:
            await self._off(hook, f"it failed for {OFF_AFTER.days} days: {error}")
            return
        pause = pause_after(hook.failures, PAUSES, error)
        await self.hooks.failed(hook.hook, str(error), pause)
        _log.warning("case_hook_failed", hook=hook.hook, error=str(error), again_in=str(pause))

    async def _off(self, hook: HookToTell, why: str) -> None:
        await self.hooks.switch_off(hook.hook, why)
        _log.error("case_hook_switched_off", hook=hook.hook, why=why)


def news_of(event: EventToTell) -> dict[str, JsonValue]:
    """What goes out of an event: ids and words of ours."""
    data: dict[str, JsonValue] = {
        "event": event.event,
        "case": event.case,
        "queue": event.queue,
        "by": event.who,
        "did": kind_of(event.did),
        "detail": going_out(event.did, event.detail),
    }
    return {"type": f"case.{kind_of(event.did)}", "timestamp": event.at.isoformat(), "data": data}


def trial(at: datetime) -> dict[str, JsonValue]:
    """What a hook is told when somebody tries it."""
    return {"type": f"case.{TEST}", "timestamp": at.isoformat(), "data": {}}
