"""Acting on all who wait at a step: what would become of them, the order for it, and how far it is."""

import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import quote

from starlette.responses import Response

from console.control_door import control_page, instant_of, number_of
from console.control_reads import Definitions, Programs, Stands
from console.control_source import WRITERS
from console.inbox_door import CONTROL, InboxDoor, RefusedPageError, Visit, to
from contracts.bulk_acts import Bound, BulkKind, BulkOrder
from insight.definition_changes import what_becomes
from insight.ends_of_waits import where_time_leads
from insight.journey_graph import journey_graph
from journey.moving import may_stand
from journey.program import Program
from stores.bulk_acts import BulkAct, BulkSeen, BulkWhy
from stores.definitions import PublishedDefinition

_KINDS: dict[str, BulkKind] = {"end": "end", "move": "move", "nudge": "nudge"}
_FORM = re.compile(r"[\w-]{8,64}")


class Acts(Protocol):
    """Where acts are kept; `stores.bulk_acts` says what each guarantees."""

    async def see(self, journey: str, version: str, address: str, now: datetime) -> BulkSeen: ...
    async def order(self, order: BulkOrder) -> int: ...
    async def acts(self, journey: str, act: int | None = None) -> list[BulkAct]: ...
    async def why(self, act: int) -> list[BulkWhy]: ...
    async def halt(self, journey: str, act: int, *, by: str) -> bool: ...


@dataclass(slots=True, frozen=True, kw_only=True)
class _Chosen:
    """What somebody chose, and what it is in the journey."""

    versions: Sequence[PublishedDefinition]
    journey: str
    version: str
    address: str
    step: str
    kind: BulkKind | None
    to_version: str | None
    to_step: str | None
    becomes: str


@dataclass(slots=True, frozen=True, kw_only=True)
class BulkPage:
    """The pages, and what their forms do: editors and admins order, an admin halts."""

    door: InboxDoor
    acts: Acts
    definitions: Definitions
    programs: Programs
    figures: Stands
    run_now: Callable[[], datetime]

    async def show(self, visit: Visit) -> Response:
        """`?at=offer/2&version=…`; `&act=end`, `&act=nudge`, or `&act=move&to=…&to_step=…`, to see what it would do."""
        query = visit.request.query_params
        chosen = await self._chosen(
            visit, {name: query.get(name, "") for name in ("at", "version", "act", "to", "to_step")}
        )
        seen = await self.acts.see(chosen.journey, chosen.version, chosen.address, self.run_now())
        here: dict[str, int] = {}
        for version in chosen.versions:
            for each in await self.figures.stands(chosen.journey, version.version):
                if each.address == chosen.address:
                    here[version.version] = here.get(version.version, 0) + each.n
        values: dict[str, Any] = {
            "chosen": chosen,
            "seen": seen,
            "here_n": here,
            "live": await self.definitions.live(chosen.journey),
            "steps": await self._steps(chosen.to_version),
            "form": secrets.token_urlsafe(16),
            "may_act": visit.member.role in WRITERS,
            "acts": await self.acts.acts(chosen.journey),
        }
        return control_page(self.door, visit, "control-bulk.html", values)

    async def order(self, visit: Visit) -> Response:
        """What was previewed, bound to whom the preview showed."""
        if visit.member.role not in WRITERS:
            raise RefusedPageError(403, "An editor or an admin acts on all at a step.")
        form = visit.form
        names = ("at", "version", "act", "to", "to_step")
        chosen = await self._chosen(visit, {name: form.line(name) for name in names})
        if chosen.kind is None:
            raise RefusedPageError(400, "Choose what to do: end, move, or nudge.")
        reason = form.line("reason", 150)
        if not reason:
            raise RefusedPageError(400, "Say why: it is kept with each run. Go back, and write it.")
        at = instant_of(form.line("seen_at"))
        up_to, shown = number_of(form.line("up_to")), number_of(form.line("shown"))
        known = _FORM.fullmatch(form.raw("form")) and at is not None and at <= self.run_now()
        if not known or at is None or up_to is None or shown is None:
            raise RefusedPageError(400, "This is not what a preview showed. Look at it anew.")
        act = await self.acts.order(
            BulkOrder(
                form=form.raw("form"),
                kind=chosen.kind,
                bound=Bound(
                    journey=chosen.journey, version=chosen.version, address=chosen.address,
                    seen_at=at, up_to=up_to,
                ),
                shown=shown,
                reason=reason,
                by=visit.member.member,
                to_version=chosen.to_version,
                to_step=chosen.to_step,
            )
        )  # fmt: skip
        return to(_place(chosen.journey, act))

    async def progress(self, visit: Visit) -> Response:
        """How many are done, were left alone, or refused, and why."""
        act = await self._act(visit)
        values: dict[str, Any] = {
            "act": act,
            "why": await self.acts.why(act.act),
            "may_halt": visit.member.role == "admin",
        }
        return control_page(self.door, visit, "control-bulk-act.html", values)

    async def halt(self, visit: Visit) -> Response:
        """Nobody further is touched."""
        if visit.member.role != "admin":
            raise RefusedPageError(403, "An admin halts what was ordered.")
        act = await self._act(visit)
        await self.acts.halt(act.journey, act.act, by=visit.member.member)
        return to(_place(act.journey, act.act))

    async def _act(self, visit: Visit) -> BulkAct:
        act = number_of(visit.request.path_params["act"])
        if act is not None:
            for found in await self.acts.acts(visit.request.path_params["journey"], act):
                return found
        raise RefusedPageError(404, "There is no such act.")

    async def _chosen(self, visit: Visit, told: dict[str, str]) -> _Chosen:
        journey = visit.request.path_params["journey"]
        versions = await self.definitions.versions(journey)
        if not versions:
            raise RefusedPageError(404, "There is no such journey.")
        live = await self.definitions.live(journey)
        known = {each.version for each in versions}
        version = told["version"] or live or versions[0].version
        kind = _KINDS.get(told["act"])
        to_version = (told["to"] or live) if kind == "move" else None
        if version not in known or (to_version and to_version not in known):
            raise RefusedPageError(404, "There is no such version of this journey.")
        program = await self._program(version)
        if told["at"] not in program.nodes:
            raise RefusedPageError(404, "There is no such step in this version.")
        if to_version == version:
            kind, to_version = None, None
        if kind == "move" and to_version is None:
            kind = None
        to_step = told["to_step"] if kind == "move" and told["to_step"] else None
        if to_step and to_step not in await self._steps(to_version):
            raise RefusedPageError(400, "Nobody can be set down there in that version.")
        becomes = ""
        if to_version:
            becomes = _becomes(program, await self._program(to_version), told["at"], to_step)
        elif kind == "nudge":
            becomes = where_time_leads(program, told["at"])
        node = journey_graph(program).nodes.get(told["at"])
        return _Chosen(
            versions=versions,
            journey=journey,
            version=version,
            address=told["at"],
            step=node.words[0] if node else told["at"],
            kind=kind,
            to_version=to_version,
            to_step=to_step,
            becomes=becomes,
        )

    async def _program(self, version: str) -> Program:
        program = await self.programs.program(version)
        assert program is not None, "a version that was published is there"
        return program

    async def _steps(self, version: str | None) -> list[str]:
        """Where a run can be set down: stages, and steps that the main way goes through."""
        if version is None:
            return []
        program = await self._program(version)
        return [*program.stages, *(each for each in program.nodes if may_stand(program, each))]


def _becomes(before: Program, after: Program, address: str, to_step: str | None) -> str:
    if to_step is not None:
        return f"go on at {to_step}"
    return what_becomes(before, after).get(address, "stay where they are")


def _place(journey: str, act: int) -> str:
    return f"{CONTROL}/journey/{quote(journey, safe='')}/bulk/{act}"
