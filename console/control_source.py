"""The source of a journey: checked as one types, with what would become of whoever stands in it, and published."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import JsonValue
from starlette.responses import Response

from console.control_door import control_page
from console.control_reads import Definitions, Programs, Stands
from console.control_scenarios import AllKept, verdict_of
from console.control_tried import WhatIfs
from console.inbox_door import CONTROL, InboxDoor, RefusedPageError, Visit, to
from insight.definition_changes import changes, what_becomes
from insight.graph_svg import Linked, svg_of
from insight.journey_graph import journey_graph
from journey.document import MAX_BYTES, MAX_PROBLEMS, InvalidDocumentError, Problem
from journey.named_words import NamedWords
from journey.program import Program
from journey.publication import Publishable, read_definition
from journey.staff_roles import MemberRole
from journey.templates import Templates
from stores.definitions import PublishedDefinition
from stores.kept_scenarios import KeptScenarios

LONGEST_SOURCE = MAX_BYTES
"""Bytes in UTF-8, of the journey and of its scenarios: what `clew publish` and `clew test` take."""

WRITERS: tuple[MemberRole, ...] = ("editor", "admin")
"""Who writes journeys. Others look, and may try what would be."""


class WrittenDefinitions(Definitions, Protocol):
    """What was published, and publishing."""

    async def load(self, version: str) -> bytes | None: ...
    async def publish(self, definition: Publishable, scenarios: str | None = None) -> str: ...


class Names(Protocol):
    """Names of what has a live revision."""

    async def names(self) -> Sequence[str]: ...


class Words(Protocol):
    """Surveys and offers by name."""

    async def surveys(self) -> Sequence[str]: ...
    async def offers(self) -> Sequence[str]: ...


class Audit(Protocol):
    """Where deeds are written down."""

    async def record(
        self, who: str, did: str, what: str, detail: Mapping[str, JsonValue] | None = None
    ) -> None: ...


@dataclass(slots=True, frozen=True, kw_only=True)
class SourcePage:
    """The page of the source, and what its form does."""

    door: InboxDoor
    definitions: WrittenDefinitions
    messages: Names
    words: Words
    figures: Stands
    programs: Programs
    templates: Templates
    audit: Audit
    what_ifs: WhatIfs
    kept: AllKept

    async def show(self, visit: Visit) -> Response:
        """The live version as its author wrote it, or `?version=`, with the scenarios that are kept."""
        versions = await self._versions(visit)
        live = await self.definitions.live(versions[0].journey)
        asked = visit.request.query_params.get("version") or live
        shown = next((each for each in versions if each.version == asked), versions[0])
        kept = await self.kept.of(shown.journey, shown.version)
        draft = _Draft(
            versions=versions, live=live, source=shown.source, kept=kept, stories=kept.source if kept else ""
        )  # fmt: skip
        return await self._page(visit, draft, await self._read(shown.source, shown.journey))

    async def try_(self, visit: Visit) -> Response:
        """`source` is checked and compared with what is live.

        Where nothing is wrong, `act=publish` makes it live, `act=month` plays the last four weeks through it,
        and `act=stories` plays `scenarios` on it: where none are sent, those that are kept with what is live.
        """
        draft = await self._draft(visit)
        long = too_long(draft.source, draft.journey) or too_long(draft.stories, "scenarios")
        if long:
            return await self._page(visit, draft, [long], status=413)
        if visit.form.line("act") == "publish":
            return await self._publish(visit, draft)
        found = await self._read(draft.source, draft.journey)
        tried = await self._tried(visit, found, draft.stories)
        return await self._page(visit, draft, found, tried=tried)

    async def _draft(self, visit: Visit) -> "_Draft":
        versions = await self._versions(visit)
        live = await self.definitions.live(versions[0].journey)
        kept = await self.kept.of(versions[0].journey, live)
        typed = visit.form.raw("scenarios").replace("\r\n", "\n")
        sent = visit.form.sent("scenarios")
        return _Draft(
            versions=versions, live=live, source=visit.form.raw("source").replace("\r\n", "\n"), kept=kept,
            stories=typed if sent else kept.source if kept else "",
        )  # fmt: skip

    async def _tried(
        self, visit: Visit, found: Publishable | list[Problem], stories: str
    ) -> dict[str, Any]:
        """What came of what the button asks for; nothing where something is wrong."""
        act = visit.form.line("act")
        if isinstance(found, list):
            return {}
        if act == "month":
            live = await self.definitions.live(found.journey)
            canonical = await self.definitions.load(live) if live else None
            return await self.what_ifs.month(visit.member.member, found, canonical)
        if act == "stories":
            return await self.what_ifs.stories(visit.member.member, found, stories)
        return {}

    async def _publish(self, visit: Visit, draft: "_Draft") -> Response:
        """Make it live with its scenarios: they are played first, and who is warned says `anyway`."""
        if visit.member.role not in WRITERS:
            raise RefusedPageError(403, "An editor or an admin publishes.")
        found = await self._read(draft.source, draft.journey)
        if isinstance(found, list):
            return await self._page(visit, draft, found, status=400)
        who = visit.member.member
        verdict = await verdict_of(self.what_ifs, who, found, draft.stories, draft.kept)
        if verdict.unreadable:
            return await self._page(visit, draft, found, status=400, tried=verdict.shown)
        if verdict.warns and visit.form.raw("anyway") != verdict.ticket:
            return await self._page(visit, draft, found, status=409, tried=verdict.for_page)
        await self.definitions.publish(found, draft.stories if draft.stories.strip() else "")
        detail: dict[str, JsonValue] = {"version": found.version, **verdict.for_audit}
        await self.audit.record(who, "published", f"journey {draft.journey}", detail)
        return to(f"{CONTROL}/journey/{draft.journey}/source")

    async def _page(
        self,
        visit: Visit,
        draft: "_Draft",
        found: Publishable | list[Problem],
        status: int = 200,
        tried: dict[str, Any] | None = None,
    ) -> Response:
        kept = draft.kept
        values: dict[str, Any] = {
            "journey": draft.journey,
            "versions": draft.versions,
            "live": draft.live,
            "source": draft.source,
            "scenarios": draft.stories,
            "kept": kept if kept and kept.source and kept.source == draft.stories else None,
            **(tried or {}),
            "refused": status in (400, 409),
            "longest": LONGEST_SOURCE,
            "problems": found[:MAX_PROBLEMS] if isinstance(found, list) else [],
            "more": max(0, len(found) - MAX_PROBLEMS) if isinstance(found, list) else 0,
            "may_publish": visit.member.role in WRITERS,
        }
        if isinstance(found, Publishable):
            before = await self.programs.program(draft.live or draft.versions[0].version)
            assert before is not None, "a version that was published is there"
            values |= {
                "version": found.version,
                "same": found.version == draft.live,
                "map": await asyncio.to_thread(_map, found.program),
                "changes": changes(before, found.program),
                "would": await self._would(before, found.program),
            }
        return control_page(self.door, visit, "control-source.html", values, status)

    async def _would(self, before: Program, after: Program) -> list[dict[str, Any]]:
        """Of each step at which somebody of the live version stands: how many, and what they would become if moved."""
        here: dict[str, int] = {}
        for each in await self.figures.stands(before.journey, before.version):
            here[each.address] = here.get(each.address, 0) + each.n
        lost = what_becomes(before, after)
        graph = journey_graph(before)
        return [
            {
                "address": address,
                "step": graph.nodes[address].words[0],
                "n": n,
                "becomes": lost.get(address, ""),
            }
            for address, n in sorted(here.items(), key=lambda each: (-each[1], each[0]))
            if address in graph.nodes
        ]

    async def _read(self, source: str, journey: str) -> Publishable | list[Problem]:
        try:
            found = await asyncio.to_thread(  # a long one takes a second, and others look meanwhile
                read_definition,
                source,
                journey,
                dict.fromkeys(await self.messages.names()),
                NamedWords(
                    surveys=dict.fromkeys(await self.words.surveys()),
                    offers=dict.fromkeys(await self.words.offers()),
                ),
                templates=self.templates,
            )
        except InvalidDocumentError as error:
            return error.problems
        if found.journey != journey:
            other = f"this is the journey {found.journey!r}, not {journey!r}"
            return [
                Problem(
                    file=journey, line=1, column=1, path="journey", message=other,
                    remedy=f"write journey: {journey}",
                )
            ]  # fmt: skip
        return found

    async def _versions(self, visit: Visit) -> list[PublishedDefinition]:
        versions = await self.definitions.versions(visit.request.path_params["journey"])
        if not versions:
            raise RefusedPageError(404, "There is no such journey.")
        return versions


@dataclass(slots=True, frozen=True, kw_only=True)
class _Draft:
    """What stands in the form: `source` and `stories`, beside what was published. `kept`: scenarios to compare with."""

    versions: Sequence[PublishedDefinition]
    live: str | None
    source: str
    stories: str
    kept: KeptScenarios | None

    @property
    def journey(self) -> str:
        return self.versions[0].journey


def too_long(text: str, name: str) -> Problem | None:
    """Where a text goes on beyond what is taken; nothing of it is read then."""
    whole = text.encode("utf-8", "replace")
    if len(whole) <= LONGEST_SOURCE:
        return None
    before = whole[:LONGEST_SOURCE].decode("utf-8", "ignore")
    return Problem(
        file=name, line=before.count("\n") + 1, column=len(before) - before.rfind("\n"), path="",
        message=f"{name} go beyond {LONGEST_SOURCE:,} bytes here" if name == "scenarios"
        else f"a journey has at most {LONGEST_SOURCE:,} bytes, and goes on here",
        remedy="make it shorter",
    )  # fmt: skip


def _map(program: Program) -> str:
    return svg_of(journey_graph(program), Linked(style=False))
