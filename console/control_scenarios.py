"""The scenarios that are kept with a journey: played before it is published, and what they say is told first."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import JsonValue

from console.control_tried import WhatIfs
from insight.scenario import read_scenarios
from insight.tried import StoriesTried
from journey.document import InvalidDocumentError
from journey.publication import Publishable
from stores.kept_scenarios import KeptScenarios


class AllKept(Protocol):
    """Where they are kept; `stores.kept_scenarios` says what it guarantees."""

    async def of(self, journey: str, version: str | None) -> KeptScenarios | None: ...


@dataclass(slots=True, frozen=True, kw_only=True)
class Verdict:
    """What scenarios say of a source that somebody is about to publish.

    `shown`: what came of playing them, for the page. `failed`: how many of those `played` do not hold.
    `taken_out`: those kept with what is live that are there no more. `not_played`: why they were not.
    `ticket`: names this source with these scenarios; whoever sends it back has seen the verdict on them.
    """

    shown: dict[str, Any]
    ticket: str
    played: int = 0
    failed: int = 0
    taken_out: Sequence[str] = ()
    not_played: str = ""
    unreadable: bool = False

    @property
    def warns(self) -> bool:
        """Whether something is to be known before it is published."""
        return bool(self.failed or self.taken_out or self.not_played)

    @property
    def for_page(self) -> dict[str, Any]:
        """What the page shows where it is not published yet."""
        return {**self.shown, "verdict": self}

    @property
    def for_audit(self) -> dict[str, JsonValue]:
        """Numbers only: what scenarios tell is in the version that they are kept with."""
        told: dict[str, JsonValue] = {
            "scenarios": self.played,
            "failed": self.failed,
            "taken_out": len(self.taken_out),
        }
        return {**told, "not_played": self.not_played} if self.not_played else told


async def verdict_of(
    what_ifs: WhatIfs, member: str, edited: Publishable, text: str, kept: KeptScenarios | None
) -> Verdict:
    """Play the scenarios that are to be kept with it, and say which of the `kept` ones are there no more."""
    taken_out = await _taken_out(kept.source if kept else "", text)
    ticket = hashlib.sha256(f"{edited.version}\n{text}".encode("utf-8", "replace")).hexdigest()
    if not text.strip():
        return Verdict(shown={}, ticket=ticket, taken_out=taken_out)
    shown = await what_ifs.stories(member, edited, text)
    told = shown.get("told")
    if not isinstance(told, StoriesTried):
        return Verdict(shown={}, ticket=ticket, taken_out=taken_out, not_played=shown["not_tried"])
    return Verdict(
        shown=shown, ticket=ticket, taken_out=taken_out, unreadable=bool(told.faults),
        played=len(told.stories), failed=sum(bool(each.faults) for each in told.stories),
    )  # fmt: skip


async def _taken_out(kept: str, text: str) -> list[str]:
    if kept == text or not kept.strip():
        return []
    before, after = await asyncio.to_thread(lambda: (_titles(kept), set(_titles(text))))
    return [each for each in before if each not in after]


def _titles(text: str) -> list[str]:
    """What each shows; nothing of what cannot be read, as it may be by a later Clew."""
    try:
        return [each.scenario for each in read_scenarios(text, "scenarios").scenarios]
    except InvalidDocumentError:
        return []
