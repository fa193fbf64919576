"""Zendesk and Salesforce as far as we use them: tickets in memory behind the paths and shapes that they document."""

import base64
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

FIELD = 360001
EVA = "eva@house.example"


@dataclass
class FakeZendesk:
    """`trouble`: statuses with which the next requests are answered, done or not."""

    server: HTTPServer
    tickets: dict[int, dict[str, Any]] = field(default_factory=dict[int, dict[str, Any]])
    comments: list[tuple[int, str, bool]] = field(default_factory=list[tuple[int, str, bool]])
    keys: dict[str, int] = field(default_factory=dict[str, int])
    trouble: list[int] = field(default_factory=list[int])
    loses_answers: bool = False
    changes: int = 0

    def __post_init__(self) -> None:
        self.server.expect_request(re.compile(r"/api/v2/.*")).respond_with_handler(self._answer)

    @property
    def url(self) -> str:
        return self.server.url_for("").rstrip("/")

    def decides(self, ticket: int, line: str) -> None:
        """An agent writes into the field."""
        self._change(ticket, {"custom_fields": [{"id": FIELD, "value": line}], "status": "solved"})

    def _answer(self, request: Request) -> Response:
        proof = base64.b64encode(b"bot@house.example/token:secret").decode()
        if request.headers.get("Authorization") != f"Basic {proof}":
            return _json({"error": "Couldn't authenticate you"}, 401)
        if self.trouble:
            return Response(status=self.trouble.pop(0), headers={"Retry-After": "7"})
        path = request.path.removeprefix("/api/v2/")
        if path == "tickets.json" and request.method == "GET":
            wanted = request.args["external_id"]
            found = [each for each in self.tickets.values() if each["external_id"] == wanted]
            return _json({"tickets": found, "count": len(found)})
        if path == "tickets.json":
            return self._made(request)
        if path == "incremental/tickets/cursor.json":
            return self._export(request)
        ticket = int(re.fullmatch(r"tickets/(\d+)\.json", path)[1])  # pyright: ignore[reportOptionalSubscript]
        if self.tickets[ticket]["status"] == "closed":
            return _json({"error": "RecordInvalid"}, 422)
        self._change(ticket, json.loads(request.get_data())["ticket"])
        return _json({"ticket": self.tickets[ticket]})

    def _made(self, request: Request) -> Response:
        key, told = request.headers["Idempotency-Key"], json.loads(request.get_data())["ticket"]
        if key not in self.keys:
            self.keys[key] = len(self.tickets) + 1
            self.tickets[self.keys[key]] = {
                "id": self.keys[key], "external_id": told["external_id"], "custom_fields": [],
                "assignee_id": 7,
            }  # fmt: skip
            self._change(self.keys[key], told)
        if self.loses_answers:
            self.loses_answers = False
            return Response(status=502)
        return _json({"ticket": self.tickets[self.keys[key]]}, 201)

    def _change(self, ticket: int, told: dict[str, Any]) -> None:
        self.changes += 1
        comment = told.pop("comment", None)
        if comment:
            self.comments.append((ticket, comment["body"], comment["public"]))
        self.tickets[ticket] |= told | {
            "updated_at": f"2026-11-28T12:{self.changes:02}:00Z",
            "n": self.changes,
        }

    def _export(self, request: Request) -> Response:
        assert request.args.get("cursor") or int(request.args["start_time"])
        since = int(request.args.get("cursor") or 0)
        found = [each for each in self.tickets.values() if each["n"] > since]
        users = [{"id": 7, "email": EVA}]
        return _json(
            {
                "tickets": found,
                "users": users,
                "after_cursor": f"{self.changes}",
                "end_of_stream": True,
            }
        )


@dataclass
class FakeSalesforce:
    """Records by their external id. `forgets`: tokens hold no more from now on."""

    server: HTTPServer
    records: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    comments: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    tokens: int = 0
    forgets: bool = False
    now: datetime = datetime(2026, 11, 28, 12, tzinfo=UTC)

    def __post_init__(self) -> None:
        self.server.expect_request("/services/oauth2/token", method="POST").respond_with_handler(
            self._token
        )
        self.server.expect_request(re.compile(r"/services/data/.*")).respond_with_handler(
            self._answer
        )

    @property
    def url(self) -> str:
        return self.server.url_for("").rstrip("/")

    def decides(self, case: str, line: str) -> None:
        """Somebody writes into the field."""
        self._change(self.records[case], {"Clew_Decision__c": line})

    def _token(self, request: Request) -> Response:
        if request.form["client_secret"] != "secret":
            return _json({"error": "invalid_client"}, 400)
        self.tokens += 1
        self.forgets = False
        return _json(
            {"access_token": f"t{self.tokens}", "instance_url": self.url, "token_type": "Bearer"}
        )

    def _answer(self, request: Request) -> Response:
        if self.forgets or request.headers.get("Authorization") != f"Bearer t{self.tokens}":
            return _json([{"errorCode": "INVALID_SESSION_ID"}], 401)
        path = request.path.removeprefix("/services/data/v62.0/")
        if path == "query":
            return self._queried(request.args["q"])
        told = json.loads(request.get_data())
        if path == "sobjects/CaseComment":
            self.comments.append(told)
            return _json({"id": "00a1", "success": True}, 201)
        name = unquote(path.removeprefix("sobjects/Case/"))
        if name.startswith("500"):
            self._change(next(each for each in self.records.values() if each["Id"] == name), told)
            return Response(status=204)
        case = name.removeprefix("Clew_Case__c/")
        made = case not in self.records
        if made:
            owner = {"attributes": {"type": "Name"}, "Email": EVA}
            self.records[case] = {
                "Id": f"500{len(self.records):05}", "Clew_Case__c": case, "Owner": owner,
                "Clew_Decision__c": None,
            }  # fmt: skip
        self._change(self.records[case], told)
        return _json(
            {"id": self.records[case]["Id"], "success": True, "created": made}, 201 if made else 200
        )

    def _change(self, record: dict[str, Any], told: dict[str, Any]) -> None:
        self.now += timedelta(seconds=1)
        record |= told | {"SystemModstamp": f"{self.now:%Y-%m-%dT%H:%M:%S}.000+0000"}

    def _queried(self, statement: str) -> Response:
        since = re.search(r"SystemModstamp >= (\S+)", statement)
        assert since is not None
        found = [
            each
            for each in self.records.values()
            if each["Clew_Decision__c"] and each["SystemModstamp"][:19] >= since[1][:19]
        ]
        return _json({"totalSize": len(found), "done": True, "records": found})


def _json(told: Any, status: int = 200) -> Response:
    return Response(json.dumps(told), status=status, content_type="application/json")
