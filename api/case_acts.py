"""What staff do with a case over HTTP: claim, pass on, put off, decide, approve, open again, merge."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from pydantic import AwareDatetime, JsonValue, TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from api.acting_staff import ActingStaff
from api.case_refusals import present_case
from api.case_told import told
from api.refusals import RefusedRequestError, json_response
from api.staff_key import Door
from api.told_object import bad_request, object_of, read_object_of, text_of
from journey.staff_roles import Role
from stores.case_rows import Case

LONGEST_WHY = 2_000
LONGEST_NOTE = 8_000
LEARNED = {"note": 2_000, "feeling": 64, "lacked": 2_000}
"""What is learned with a decision, and how long it may be."""

_MOMENT = TypeAdapter(AwareDatetime)


class DeskOfCases(Protocol):
    """Where staff work on cases; `stores.case_desk.CaseDesk` says what each guarantees."""

    async def named(self, name: str) -> Case | None: ...
    async def claim(self, case: str, by: str) -> Case: ...
    async def let_go(self, case: str, by: str, *, why: str = "") -> Case: ...
    async def hand_over(
        self, case: str, by: str, *, queue: str | None = None, to: str | None = None, note: str
    ) -> Case: ...
    async def snooze(
        self, case: str, by: str, *, until: datetime | None = None, event: str | None = None
    ) -> Case: ...
    async def wait_for_customer(self, case: str, by: str) -> Case: ...
    async def go_on(self, case: str, by: str) -> Case: ...
    async def note(self, case: str, by: str, text: str) -> Case: ...
    async def verify(self, case: str, by: str, how: str) -> Case: ...
    async def decide(
        self,
        case: str,
        decision: str,
        fields: Mapping[str, JsonValue],
        *,
        by: str,
        authority: float | None = None,
        ask: str | None = None,
        note: str = "",
        feeling: str = "",
        lacked: str = "",
    ) -> Case: ...
    async def approve(
        self, case: str, by: str, *, why: str = "", authority: float | None = None
    ) -> Case: ...
    async def disapprove(self, case: str, by: str, *, why: str) -> Case: ...
    async def reopen(self, case: str, by: str, *, why: str) -> Case: ...
    async def merge(self, case: str, into: str, by: str) -> Case: ...


class CaseActs:
    """Each act reads its body, tells who acts, does it, and shows the case as it is then."""

    def __init__(self, desk: DeskOfCases, acting: ActingStaff) -> None:
        self._desk, self._acting = desk, acting

    def doors(self) -> dict[str, tuple[Door, Role | None]]:
        """Every act by its name in the path, and how far one must go for it."""
        return {
            "claim": (self._plain(self._desk.claim), None),
            "let-go": (self.let_go, None),
            "hand-over": (self.hand_over, None),
            "snooze": (self.snooze, None),
            "wait-for-customer": (self._plain(self._desk.wait_for_customer), None),
            "go-on": (self._plain(self._desk.go_on), None),
            "note": (self.note, None),
            "verify": (self.verify, None),
            "decide": (self.decide, None),
            "approve": (self.approve, "lead"),
            "disapprove": (self.disapprove, "lead"),
            "reopen": (self.reopen, None),
            "merge": (self.merge, None),
        }

    def _plain(self, act: Callable[[str, str], Awaitable[Case]]) -> Door:
        async def door(request: Request) -> Response:
            """`{"by"}`."""
            said = await read_object_of(request, ("by",))
            case, actor = await self._of(request, said)
            return json_response(told(await act(case.case, actor)))

        return door

    async def let_go(self, request: Request) -> Response:
        """`{"by", "why"}`: back into its queue."""
        said = await read_object_of(request, ("by", "why"))
        why = text_of(said, "why", most=LONGEST_WHY, default="")
        case, by = await self._of(request, said)
        return json_response(told(await self._desk.let_go(case.case, by, why=why)))

    async def hand_over(self, request: Request) -> Response:
        """`{"by", "note", "queue" or "to"}`: to another queue, or to somebody."""
        said = await read_object_of(request, ("by", "note", "queue", "to"))
        note = text_of(said, "note", most=LONGEST_NOTE)
        queue = text_of(said, "queue", most=64, default="") or None
        to = text_of(said, "to", most=200, default="") or None
        if queue is None and to is None:
            raise bad_request("queue: name a queue, or with `to` a member")
        case, by = await self._of(request, said)
        passed = await self._desk.hand_over(case.case, by, queue=queue, to=to, note=note)
        return json_response(told(passed))

    async def snooze(self, request: Request) -> Response:
        """`{"by", "until", "event"}`: until a moment, or a touchpoint comes."""
        said = await read_object_of(request, ("by", "until", "event"))
        until, event = _moment(said), text_of(said, "event", most=200, default="") or None
        if until is None and event is None:
            raise bad_request("until: name a moment, or with `event` a touchpoint")
        case, by = await self._of(request, said)
        try:
            put_off = await self._desk.snooze(case.case, by, until=until, event=event)
        except ValueError as error:
            raise bad_request(str(error)) from None
        return json_response(told(put_off))

    async def note(self, request: Request) -> Response:
        """`{"by", "text"}`: for whoever works on it."""
        said = await read_object_of(request, ("by", "text"))
        text = text_of(said, "text", most=LONGEST_NOTE)
        case, by = await self._of(request, said)
        return json_response(told(await self._desk.note(case.case, by, text)))

    async def verify(self, request: Request) -> Response:
        """`{"by", "how"}`: whoever the case came from proved to be the customer, by what."""
        said = await read_object_of(request, ("by", "how"))
        how = text_of(said, "how", most=200)
        case, by = await self._of(request, said)
        return json_response(told(await self._desk.verify(case.case, by, how)))

    async def decide(self, request: Request) -> Response:
        """`{"decision", "by", "fields", "ask", "note", "feeling", "lacked"}`; above authority `ask` asks for it.

        202 where it waits for somebody who may. What was learned goes back to the journeys: a note, what the
        customer feels, and what whoever decides lacked.
        """
        said = await read_object_of(request, ("decision", "by", "fields", "ask", *LEARNED))
        learned = {
            name: text_of(said, name, most=most, default="") for name, most in LEARNED.items()
        }
        decision, fields = text_of(said, "decision", most=200), object_of(said, "fields")
        ask = text_of(said, "ask", most=LONGEST_WHY, default="") or None
        case = await present_case(self._desk, request)
        actor = await self._acting.actor(request, said)
        decided = await self._desk.decide(
            case.case, decision, fields, by=actor.by, authority=actor.authority, ask=ask, **learned
        )
        return json_response(told(decided), 200 if decided.approval is None else 202)

    async def approve(self, request: Request) -> Response:
        """`{"by", "why"}`: what was asked for is decided."""
        said = await read_object_of(request, ("by", "why"))
        why = text_of(said, "why", most=LONGEST_WHY, default="")
        case = await present_case(self._desk, request)
        actor = await self._acting.actor(request, said, "lead")
        approved = await self._desk.approve(case.case, actor.by, why=why, authority=actor.authority)
        return json_response(told(approved))

    async def disapprove(self, request: Request) -> Response:
        """`{"by", "why"}`: what was asked for is not to be; who asked goes on."""
        said = await read_object_of(request, ("by", "why"))
        why = text_of(said, "why", most=LONGEST_WHY)
        case, by = await self._of(request, said, "lead")
        return json_response(told(await self._desk.disapprove(case.case, by, why=why)))

    async def reopen(self, request: Request) -> Response:
        """`{"by", "why"}`: a case that was over is open again."""
        said = await read_object_of(request, ("by", "why"))
        why = text_of(said, "why", most=LONGEST_WHY)
        case, by = await self._of(request, said)
        return json_response(told(await self._desk.reopen(case.case, by, why=why)))

    async def merge(self, request: Request) -> Response:
        """`{"by", "into"}`: it is about the same as another of this customer, which stays."""
        said = await read_object_of(request, ("by", "into"))
        into = text_of(said, "into", most=1_200)
        case, by = await self._of(request, said)
        kept = await self._desk.named(into)
        if kept is None:
            raise RefusedRequestError(404, "unknown_case", f"there is no case {into[:200]!r}")
        try:
            return json_response(told(await self._desk.merge(case.case, kept.case, by)))
        except ValueError as error:
            raise bad_request(str(error)) from None

    async def _of(
        self, request: Request, said: dict[str, Any], needed: Role = "agent"
    ) -> tuple[Case, str]:
        case = await present_case(self._desk, request)
        return case, (await self._acting.actor(request, said, needed)).by


def _moment(said: dict[str, Any]) -> datetime | None:
    value = said.get("until")
    if value is None:
        return None
    refusal = bad_request("until: expected a moment with its zone, 2026-11-24T09:00:00Z")
    if not isinstance(value, str):  # a number would be read as seconds since 1970
        raise refusal
    try:
        return _MOMENT.validate_python(value)
    except ValidationError:
        raise refusal from None
