"""`/slack/cases`: staff press buttons and fill in forms under a case in Slack.

Slack wants an answer within three seconds: a deed has half of them, and what is said to whoever pressed follows.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol, cast
from urllib.parse import parse_qsl

import structlog
from fastapi import APIRouter
from pydantic import JsonValue
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response

from activities.message_channel import (
    ProviderBusyError,
    ProviderRefusedError,
    UnknownOutcomeError,
)
from activities.staff_cases import UnknownCaseError
from api.inbound_mail import answering
from api.pressure import Pressure
from api.refusals import RefusedRequestError, json_response
from api.request_body import read_body
from channels.slack import escaped
from channels.slack_calls import SlackError
from channels.slack_case import CLAIM, FILL, Pressed, plain, read_pressed
from channels.slack_form import WHY, DecisionForm, errors_at, form_view, read_form, words_view
from channels.slack_inbound import is_slacks
from contracts.ids import case_page
from journey.case_clock import TAKEN
from journey.decision_line import field_value
from journey.decisions import AuthorityExceededError, UnknownDecisionError, WrongFieldError
from journey.staff_roles import WORKING_ROLES
from stores.audit import Origin, acting
from stores.case_decisions import REFUSALS
from stores.case_rows import Case
from stores.members import Member

LARGEST_FORM = 256 * 1024
AT_ONCE = 64
KNOWN_SECONDS = 1.0
DEED_SECONDS = 1.5

_REFUSED = (*REFUSALS, UnknownCaseError, UnknownDecisionError)
_NO_CASE = "There is no such case, or it is not of your queues."
_TOO_LONG = "It took too long, and was not done. Try again."
_log = structlog.get_logger(__name__)


class DecidingDesk(Protocol):
    """Where staff work on cases; `stores.case_desk.CaseDesk` says what each guarantees."""

    async def named(self, name: str) -> Case | None: ...
    async def claim(self, case: str, by: str) -> Case: ...
    async def decide(
        self,
        case: str,
        decision: str,
        fields: Mapping[str, JsonValue],
        *,
        by: str,
        ask: str | None = None,
    ) -> Case: ...


class SlackMembers(Protocol):
    """Where members are kept."""

    async def of_slack(self, slack: str) -> Member | None: ...


class SlackRequests(Protocol):
    """Which requests came already."""

    async def first(self, signature: str) -> bool: ...


class Slack(Protocol):
    """The way to Slack."""

    async def do(self, method: str, body: Mapping[str, Any], key: str = "") -> dict[str, Any]: ...


@dataclass(slots=True, frozen=True, kw_only=True)
class Person:
    """Who pressed, and where."""

    slack: str
    channel: str


class RefusedDeedError(Exception):
    """It was not done; the message says why, and what to do."""


@dataclass(slots=True, frozen=True, kw_only=True)
class SlackCaseDoor:
    """What staff do with a case in Slack. `public_url`: where our inbox is."""

    desk: DecidingDesk
    members: SlackMembers
    requests: SlackRequests
    slack: Slack
    signing_secret: str
    public_url: str

    async def answer(self, request: Request) -> Response:
        """Take what Slack signed, once. Nothing of it is read before."""
        body = await read_body(request, LARGEST_FORM)
        stamp = request.headers.get("x-slack-request-timestamp", "")
        signature = request.headers.get("x-slack-signature", "")
        if not is_slacks(self.signing_secret, stamp, body, signature, datetime.now(UTC)):
            said = "not signed by Slack, or too long ago: see CLEW_SLACK_SIGNING_SECRET"
            raise RefusedRequestError(403, "not_signed", said)
        told = _payload(body)
        if not await self._first(signature):
            return Response()
        match told.get("type"):
            case "block_actions":
                return await self._pressed(told)
            case "view_submission":
                return await self._filled(told)
            case _:
                return Response()

    async def _first(self, signature: str) -> bool:
        try:
            async with asyncio.timeout(KNOWN_SECONDS):
                return await self.requests.first(signature)
        except TimeoutError:
            said = "the database is slow; nothing was done, try again"
            raise RefusedRequestError(503, "unavailable", said, retry_after=5) from None

    async def _pressed(self, told: Mapping[str, Any]) -> Response:
        person = Person(slack=_id(told, "user"), channel=_id(told, "channel"))
        actions: Any = told.get("actions")
        first: Any = (
            cast("list[Any]", actions)[0] if isinstance(actions, list) and actions else None
        )
        pressed = read_pressed(cast("dict[str, Any]", first)) if isinstance(first, dict) else None
        if pressed is None:
            return Response()
        try:
            async with asyncio.timeout(DEED_SECONDS):
                member = await self._member(person)
                case = await self._case(member, pressed.case)
                if pressed.what == FILL:
                    view = self._empty_form(member, case, pressed, person)
                    opens = {"trigger_id": str(told.get("trigger_id", "")), "view": view}
                    return _then(self._ask_slack, "views.open", opens)
                words = await self._done(member, case, pressed)
        except RefusedDeedError as error:
            words = escaped(plain(str(error), 800))
        except _REFUSED as error:
            words = self._in_words(error, pressed.case)
        except TimeoutError:
            words = _TOO_LONG
        return _then(self._tell, person, words)

    async def _done(self, member: Member, case: Case, pressed: Pressed) -> str:
        with acting(Origin(actor=member.member)):
            if pressed.what == CLAIM:
                await self.desk.claim(case.case, member.member)
                return f"{case.short_name} is yours now. {self._link(case.short_name)}"
            decided = await self.desk.decide(case.case, pressed.decision, {}, by=member.member)
        return f"{case.short_name} is decided: {escaped(plain(decided.decision or '', 200))}."

    async def _filled(self, told: Mapping[str, Any]) -> Response:
        view: Any = told.get("view")
        form = read_form(cast("dict[str, Any]", view)) if isinstance(view, dict) else None
        if form is None:
            return Response()
        person = Person(slack=_id(told, "user"), channel=form.channel)
        try:
            async with asyncio.timeout(DEED_SECONDS):
                member = await self._member(person)
                case = await self._case(member, form.case)
                return await self._decided(member, case, form, person)
        except RefusedDeedError as error:
            return _update(words_view("Not done", str(error)))
        except _REFUSED as error:
            return _update(words_view("Not done", f"{error}."))
        except TimeoutError:
            return _update(words_view("Not done", _TOO_LONG))

    async def _decided(
        self, member: Member, case: Case, form: DecisionForm, person: Person
    ) -> Response:
        offered = case.decisions.get(form.decision)
        if offered is None:
            raise RefusedDeedError(_open_still(case) or "This decision is on offer no more.")
        if form.why is not None and not form.why.strip():
            return json_response(errors_at(WHY, "Say why it should be granted."))
        try:
            fields = {
                name: field_value(name, kind, form.texts[name])
                for name, kind in offered.fields.items()
                if name in form.texts
            }
            with acting(Origin(actor=member.member)):
                decided = await self.desk.decide(
                    case.case, form.decision, fields, by=member.member, ask=form.why
                )
        except WrongFieldError as error:
            if error.field in offered.fields:
                return json_response(errors_at(error.field, str(error)))
            raise RefusedDeedError(str(error)) from None
        except AuthorityExceededError as error:
            words = f"{error}. Say why it should be granted, and somebody who may is asked."
            return _update(form_view(replace(form, why=""), offered, words))
        words = (
            f"{case.short_name} is decided: {escaped(plain(decided.decision or '', 200))}."
            if decided.approval is None
            else f"{case.short_name}: somebody who may grant it is asked; the case waits for them."
        )
        return _then(self._tell, person, words, said={"response_action": "clear"})

    def _empty_form(
        self, member: Member, case: Case, pressed: Pressed, person: Person
    ) -> dict[str, Any]:
        offered = case.decisions.get(pressed.decision)
        over = _open_still(case)
        if over is not None or offered is None:
            raise RefusedDeedError(f"{over or 'This decision is on offer no more.'}")
        held = case.claimed_by
        if case.state in TAKEN and held != member.member and not member.leads:
            raise RefusedDeedError(f"{held} has claimed this case. Ask them, or who leads them.")
        return form_view(
            DecisionForm(case=case.short_name, decision=pressed.decision, channel=person.channel),
            offered,
        )

    async def _member(self, person: Person) -> Member:
        """Raises: `RefusedDeedError` for whoever is none, was one, or does not work on cases."""
        member = await self.members.of_slack(person.slack) if person.slack else None
        if member is None:
            raise RefusedDeedError(
                f"Clew knows no member of staff with your Slack id {person.slack[:40]}. Whoever runs Clew"
                f" adds it: clew members set NAME --slack {person.slack[:40]}"
            )
        if member.left_at is not None:
            raise RefusedDeedError(f"{member.member} works here no more.")
        if not member.works:
            raise RefusedDeedError(
                f"{member.member} is {member.role}; cases are worked on by {', '.join(WORKING_ROLES)}."
            )
        return member

    async def _case(self, member: Member, name: str) -> Case:
        """Raises: `RefusedDeedError`, in the same words where there is none and where they may not see it."""
        case = await self.desk.named(name)
        if case is None or not member.sees(case):
            raise RefusedDeedError(_NO_CASE)
        return case

    def _in_words(self, error: Exception, name: str) -> str:
        return f"{escaped(plain(str(error), 500))}. {self._link(name)}"

    def _link(self, name: str) -> str:
        return f"<{case_page(self.public_url, name)}|Open it in the inbox>"

    async def _tell(self, person: Person, words: str) -> None:
        """Only they see it."""
        said = {"channel": person.channel, "user": person.slack, "text": words, "parse": "none"}
        if person.channel and person.slack:
            await self._ask_slack("chat.postEphemeral", said)

    async def _ask_slack(self, method: str, body: Mapping[str, Any]) -> None:
        """What is said after the answer changes nothing of ours: where it fails, the log has it."""
        try:
            await self.slack.do(method, body)
        except (SlackError, ProviderBusyError, ProviderRefusedError, UnknownOutcomeError) as error:
            _log.warning("slack_not_told", method=method, error=str(error))


def slack_cases_router(door: SlackCaseDoor) -> APIRouter:
    """The door that Slack tells of buttons and forms."""
    router = APIRouter(tags=["staff"])
    router.add_route("/slack/cases", answering(door.answer, Pressure(AT_ONCE)), methods=["POST"])
    return router


def _payload(body: bytes) -> dict[str, Any]:
    refusal = RefusedRequestError(400, "bad_request", "expected a form of Slack's with a payload")
    try:
        pairs = dict(parse_qsl(body.decode("utf-8", "replace"), max_num_fields=20))
        told: Any = json.loads(pairs.get("payload", ""))
    except (ValueError, RecursionError):
        raise refusal from None
    if not isinstance(told, dict):
        raise refusal
    return cast("dict[str, Any]", told)


def _id(told: Mapping[str, Any], name: str) -> str:
    inside: Any = told.get(name)
    named: Any = cast("dict[str, Any]", inside).get("id") if isinstance(inside, dict) else None
    return named if isinstance(named, str) and len(named) <= 64 else ""


def _open_still(case: Case) -> str | None:
    """Why it takes no decision any more; None where it does."""
    match case.state:
        case "resolved":
            return f"{case.decided_by} has decided: {case.decision}."
        case "closed" | "expired":
            return f"This case was closed: {case.reason}."
        case _:
            return None


def _update(view: Mapping[str, Any]) -> Response:
    return json_response({"response_action": "update", "view": view})


def _then(follows: Any, *told: Any, said: Mapping[str, Any] | None = None) -> Response:
    """An answer, and what is done once it was given."""
    answer = json_response(said) if said is not None else Response()
    answer.background = BackgroundTask(follows, *told)
    return answer
