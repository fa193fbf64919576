"""The source of a journey: checked as one types, with what would become of whoever stands in it, and published."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import JsonValue
from starlette.responses import Response

from console.control_door import control_page
from console.control_reads import Definitions, Programs, Stands
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

LONGEST_SOURCE = MAX_BYTES
"""Bytes in UTF-8, of the journey and of its scenarios: what `clew publish` and `clew test` take."""

WRITERS: tuple[MemberRole, ...] = ("editor", "admin")
"""Who writes journeys. Others look, and may try what would be."""


class WrittenDefinitions(Definitions, Protocol):
    """What was published, and publishing."""

    async def load(self, version: str) -> bytes | None: ...
    async def publish(self, definition: Publishable) -> str: ...


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

    async def show(self, visit: Visit) -> Response:
        """The live version as its author wrote it, or `?version=`."""
        versions = await self._versions(visit)
        live = await self.definitions.live(versions[0].journey)
        asked = visit.request.query_params.get("version") or live
        shown = next((each for each in versions if each.version == asked), versions[0])
        found = await self._read(shown.source, shown.journey)
        return await self._page(visit, versions, shown.source, found)

    async def try_(self, visit: Visit) -> Response:
        """`source` is checked and compared with what is live.

        Where nothing is wrong, `act=publish` makes it live, `act=month` plays the last four weeks through it,
        and `act=stories` plays `scenarios` on it.
        """
        versions = await self._versions(visit)
        source = visit.form.raw("source").replace("\r\n", "\n")
        stories = visit.form.raw("scenarios").replace("\r\n", "\n")
        long = too_long(source, versions[0].journey) or too_long(stories, "scenarios")
        if long:
            return await self._page(visit, versions, source, [long], status=413)
        if visit.form.line("act") == "publish":
            return await self._publish(visit, versions, source)
        found = await self._read(source, versions[0].journey)
        tried = await self._tried(visit, found, stories)
        return await self._page(visit, versions, source, found, tried=tried)

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

    async def _publish(
        self, visit: Visit, versions: Sequence[PublishedDefinition], source: str
    ) -> Response:
        if visit.member.role not in WRITERS:
            raise RefusedPageError(403, "An editor or an admin publishes.")
        journey = versions[0].journey
        found = await self._read(source, journey)
        if isinstance(found, list):
            return await self._page(visit, versions, source, found, status=400)
        await self.definitions.publish(found)
        await self.audit.record(
            visit.member.member, "published", f"journey {journey}", {"version": found.version}
        )
        return to(f"{CONTROL}/journey/{journey}/source")

    async def _page(
        self,
        visit: Visit,
        versions: Sequence[PublishedDefinition],
        source: str,
        found: Publishable | list[Problem],
        status: int = 200,
        tried: dict[str, Any] | None = None,
    ) -> Response:
        journey = versions[0].journey
        live = await self.definitions.live(journey)
        values: dict[str, Any] = {
            "journey": journey,
            "versions": versions,
            "live": live,
            "source": source,
            "scenarios": visit.form.raw("scenarios").replace("\r\n", "\n"),
            **(tried or {}),
            "longest": LONGEST_SOURCE,
            "problems": found[:MAX_PROBLEMS] if isinstance(found, list) else [],
            "more": max(0, len(found) - MAX_PROBLEMS) if isinstance(found, list) else 0,
            "may_publish": visit.member.role in WRITERS,
        }
        if isinstance(found, Publishable):
            before = await self.programs.program(live or versions[0].version)
            assert before is not None, "a version that was published is there"
            values |= {
                "version": found.version,
                "same": found.version == live,
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
