"""Salesforce as a desk of staff: a case is a Case there, known by our id, with a field for the decision.

Source: https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/dome_upsert.htm,
https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_query.htm.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, cast
from urllib.parse import quote, urlencode

import orjson

from activities.message_channel import ProviderBusyError, UnknownOutcomeError
from channels.provider_http import ProviderHttp, Told
from contracts.outside_desk import DecidedOutside, HeardOutside, ShownCase
from journey.decision_line import lines_of

VERSION = "v62.0"
STATUS = {"open": "New", "claimed": "Working", "snoozed": "On Hold", "pending": "On Hold"}
"""By the state of a case; one that is over is `Closed`."""

OVERLAP = timedelta(minutes=2)
"""Records that were written while we asked may bear an earlier time: so far back is asked again."""

AT_ONCE = 200
LONGEST_TEXT = 32_000
_STAMP = "%Y-%m-%dT%H:%M:%SZ"


class SalesforceDesk:
    """Fulfils `contracts.outside_desk.OutsideDesk`. `case_field`, `decision_field`: custom fields of Case.

    `url`: where tokens are had (My Domain). `queues`: of which cases are shown; none is all.
    """

    name = "salesforce"

    def __init__(
        self,
        url: str,
        client_id: str,
        client_secret: str,
        *,
        now: Callable[[], datetime],
        case_field: str = "Clew_Case__c",
        decision_field: str = "Clew_Decision__c",
        queues: Collection[str] = (),
        http: ProviderHttp | None = None,
    ) -> None:
        self._url, self._id, self._secret = url.rstrip("/"), client_id, client_secret
        self._case, self._decision = case_field, decision_field
        self._now, self._queues = now, frozenset(queues)
        self._http = http or ProviderHttp("Salesforce")
        self._token, self._at = "", ""

    async def put(self, case: ShownCase, known: str | None) -> str:
        """Upserted by our id: put again, the same record changes.

        Raises: `ProviderBusyError`, `ProviderRefusedError`, `UnknownOutcomeError`.
        """
        if self._queues and case.queue not in self._queues:
            return known or ""
        path = f"sobjects/Case/{self._case}/{quote(case.case, safe='')}"
        told = await self._do("PATCH", path, _record(case))
        body = self._taken(told)
        outside = body.get("id") or known
        if not outside:
            raise UnknownOutcomeError("Salesforce took the case and did not say under which id")
        return f"{outside}"

    async def heard(self, since: str) -> HeardOutside:
        """Decisions in records that changed since, an instant of Salesforce's. Raises: as `put`."""
        asked_from = since or (self._now() - OVERLAP).strftime(_STAMP)
        statement = (
            f"SELECT Id, {self._case}, {self._decision}, Owner.Email, SystemModstamp FROM Case"  # noqa: S608 -- SOQL, of our settings and an instant
            f" WHERE SystemModstamp >= {asked_from} AND {self._case} LIKE 'case/%'"
            f" AND {self._decision} != null ORDER BY SystemModstamp, Id LIMIT {AT_ONCE}"
        )
        asked_at = self._now()
        told = await self._do("GET", f"query?{urlencode({'q': statement})}", None)
        records = cast("list[dict[str, Any]]", self._taken(told).get("records") or [])
        found = tuple(self._decided(each) for each in records)
        if len(records) == AT_ONCE:  # there are more, from where these end
            return HeardOutside(decisions=found, asked_to=_stamp(records[-1]["SystemModstamp"]))
        return HeardOutside(decisions=found, asked_to=(asked_at - OVERLAP).strftime(_STAMP))

    async def refuse(self, outside_id: str, words: str) -> None:
        """A comment that is not published; the field is empty again. Raises: as `put`."""
        comment = {
            "ParentId": outside_id,
            "CommentBody": f"Clew did not take this decision: {words}"[:4_000],
            "IsPublished": False,
        }
        self._taken(await self._do("POST", "sobjects/CaseComment", comment))
        empty = {self._decision: None}
        self._taken(await self._do("PATCH", f"sobjects/Case/{outside_id}", empty))

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    async def _do(self, method: str, path: str, body: Mapping[str, Any] | None) -> Told:
        """Asked with our token, and with a new one where it does not hold any more."""
        for again in (True, False):
            if not self._token:
                await self._log_in()
            headers = {"authorization": f"Bearer {self._token}", "content-type": "application/json"}
            url = f"{self._at}/services/data/{VERSION}/{path}"
            content = orjson.dumps(body) if body is not None else b""
            match method:
                case "GET":
                    told = await self._http.ask(url, headers=headers)
                case "POST":
                    told = await self._http.post(url, path, content=content, headers=headers)
                case _:
                    told = await self._http.change(method, url, content=content, headers=headers)
            if told.status != 401 or not again:
                return told
            self._token = ""
        raise AssertionError  # the second time always returns

    async def _log_in(self) -> None:
        asked = {
            "grant_type": "client_credentials",
            "client_id": self._id,
            "client_secret": self._secret,
        }
        told = await self._http.post(
            f"{self._url}/services/oauth2/token",
            "token",
            content=urlencode(asked).encode(),
            headers={"content-type": "application/x-www-form-urlencoded"},
        )
        token, at = told.body.get("access_token"), told.body.get("instance_url")
        if not told.taken or not isinstance(token, str) or not isinstance(at, str):
            words = f"Salesforce gives no token ({told.status}): mend CLEW_SALESFORCE_CLIENT_ID or its secret"
            raise ProviderBusyError(words, retry_after=told.retry_after)
        self._token, self._at = token, at.rstrip("/")

    def _decided(self, record: Mapping[str, Any]) -> DecidedOutside:
        owner = cast("dict[str, Any]", record.get("Owner") or {})
        return DecidedOutside(
            case=f"{record[self._case]}",
            outside_id=f"{record['Id']}",
            by=f"{owner.get('Email') or ''}",
            line=f"{record[self._decision]}",
            seen=f"{record['SystemModstamp']}",
        )

    def _taken(self, told: Told) -> dict[str, Any]:
        if not told.taken:
            raise self._http.failed(told, deduplicates=True)
        return told.body


def _record(case: ShownCase) -> dict[str, Any]:
    due = f"Due: {case.due.isoformat()}\n\n" if case.due is not None else ""
    words = f"{due}{case.brief}\n\nTo decide, write one of: {'; '.join(lines_of(case.decisions))}\n\n{case.link}"
    return {
        "Subject": (case.title or f"Case {case.name}")[:255],
        "Description": words[:LONGEST_TEXT],
        "Status": "Closed" if case.over else STATUS.get(case.state, "New"),
        "Origin": "Clew",
    }


def _stamp(told: str) -> str:
    """Salesforce writes `2026-11-28T12:00:00.000+0000`, and reads that no more in a query."""
    return datetime.strptime(told, "%Y-%m-%dT%H:%M:%S.%f%z").strftime(_STAMP)
