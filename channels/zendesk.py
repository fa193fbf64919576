"""Zendesk as a desk of staff: a case is a ticket with its id as external id, and a field of it takes the decision.

Source: https://developer.zendesk.com/api-reference/ticketing/tickets/tickets,
https://developer.zendesk.com/api-reference/ticketing/ticket-management/incremental_exports.
"""

import base64
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, cast
from urllib.parse import quote

import orjson

from activities.message_channel import UnknownOutcomeError
from channels.provider_http import ProviderHttp, Told
from contracts.outside_desk import DecidedOutside, HeardOutside, ShownCase
from journey.decision_line import lines_of

STATUS = {
    "open": "open",
    "reopened": "open",
    "claimed": "open",
    "snoozed": "pending",
    "pending": "pending",
}
"""By the state of a case; one that is over is `solved`."""

AT_ONCE = 50
"""Tickets that are asked for at once: an answer has to stay below what we read of one."""

LONGEST_BRIEF = 10_000


class ZendeskDesk:
    """Fulfils `contracts.outside_desk.OutsideDesk`. `field`: the id of the custom text field for decisions.

    `queues`: of which cases are shown; none is all.
    """

    name = "zendesk"

    def __init__(
        self,
        url: str,
        email: str,
        token: str,
        field: int,
        *,
        now: Callable[[], datetime],
        queues: Collection[str] = (),
        http: ProviderHttp | None = None,
    ) -> None:
        self._url, self._field, self._now = f"{url.rstrip('/')}/api/v2", field, now
        self._queues = frozenset(queues)
        self._http = http or ProviderHttp("Zendesk")
        proof = base64.b64encode(f"{email}/token:{token}".encode()).decode()
        self._headers = {"authorization": f"Basic {proof}", "content-type": "application/json"}

    async def put(self, case: ShownCase, known: str | None) -> str:
        """A ticket, and the same one from then on: it is looked for by our id before another is made.

        Raises: `ProviderBusyError`, `ProviderRefusedError`, `UnknownOutcomeError`.
        """
        if self._queues and case.queue not in self._queues:
            return known or ""
        ticket = known or await self._there(case.case)
        if ticket is None:
            return await self._made(case)
        told = await self._http.change(
            "PUT",
            f"{self._url}/tickets/{ticket}.json",
            content=orjson.dumps({"ticket": _ticket(case)}),
            headers=self._headers,
        )
        if told.status == 422 and case.over:
            return ticket  # it is closed there for good, as it is here
        self._taken(told)
        return ticket

    async def heard(self, since: str) -> HeardOutside:
        """Decisions in tickets that changed since; `since` is Zendesk's cursor. Raises: as `put`."""
        minute_ago = int((self._now() - timedelta(minutes=2)).timestamp())
        begins = f"cursor={quote(since, safe='')}" if since else f"start_time={minute_ago}"
        told = await self._http.ask(
            f"{self._url}/incremental/tickets/cursor.json?{begins}&include=users&per_page={AT_ONCE}",
            headers=self._headers,
        )
        body = self._taken(told)
        tickets = cast("list[dict[str, Any]]", body.get("tickets") or [])
        users = cast("list[dict[str, Any]]", body.get("users") or [])
        emails = {each.get("id"): str(each.get("email") or "") for each in users}
        found = [each for ticket in tickets if (each := self._decided(ticket, emails))]
        return HeardOutside(decisions=tuple(found), asked_to=str(body.get("after_cursor") or since))

    async def refuse(self, outside_id: str, words: str) -> None:
        """An internal comment; the field is empty again and the ticket open. Raises: as `put`."""
        ticket = {
            "comment": {"body": f"Clew did not take this decision: {words}", "public": False},
            "custom_fields": [{"id": self._field, "value": ""}],
            "status": "open",
        }
        told = await self._http.change(
            "PUT",
            f"{self._url}/tickets/{outside_id}.json",
            content=orjson.dumps({"ticket": ticket}),
            headers=self._headers,
        )
        if told.status not in (404, 422):  # it is gone, or closed for good: nobody reads it there
            self._taken(told)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    async def _there(self, case: str) -> str | None:
        told = await self._http.ask(
            f"{self._url}/tickets.json?external_id={quote(case, safe='')}", headers=self._headers
        )
        tickets = cast("list[dict[str, Any]]", self._taken(told).get("tickets") or [])
        return f"{tickets[0]['id']}" if tickets else None

    async def _made(self, case: ShownCase) -> str:
        ticket = {
            **_ticket(case),
            "external_id": case.case,
            "comment": {"body": _words(case), "public": False},
        }
        told = await self._http.post(
            f"{self._url}/tickets.json",
            case.case,
            content=orjson.dumps({"ticket": ticket}),
            headers={**self._headers, "idempotency-key": case.case[-255:]},
        )
        made = self._taken(told).get("ticket")
        if not isinstance(made, dict) or "id" not in made:
            raise UnknownOutcomeError("Zendesk took the ticket and did not say under which id")
        return f"{cast('dict[str, Any]', made)['id']}"

    def _decided(
        self, ticket: Mapping[str, Any], emails: Mapping[Any, str]
    ) -> DecidedOutside | None:
        fields = cast("list[dict[str, Any]]", ticket.get("custom_fields") or [])
        line = next((each.get("value") for each in fields if each.get("id") == self._field), None)
        case = ticket.get("external_id")
        if not line or not isinstance(case, str) or not case.startswith("case/"):
            return None
        return DecidedOutside(
            case=case,
            outside_id=f"{ticket.get('id')}",
            by=emails.get(ticket.get("assignee_id"), ""),
            line=f"{line}",
            seen=f"{ticket.get('updated_at')}",
        )

    def _taken(self, told: Told) -> dict[str, Any]:
        if not told.taken:
            raise self._http.failed(told, deduplicates=True)
        return told.body


def _ticket(case: ShownCase) -> dict[str, Any]:
    told: dict[str, Any] = {
        "subject": case.title or f"Case {case.name}",
        "status": "solved" if case.over else STATUS.get(case.state, "open"),
        "type": "task",
        "tags": ["clew", f"clew-{case.queue}"],
    }
    if case.due is not None:
        told["due_at"] = case.due.isoformat()
    return told


def _words(case: ShownCase) -> str:
    return "\n\n".join(
        [
            case.brief[:LONGEST_BRIEF],
            f"To decide, write one of: {'; '.join(lines_of(case.decisions))}",
            case.link,
        ]
    )
