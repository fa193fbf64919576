"""Sends what schemathesis draws from the OpenAPI document, and keeps what was not answered as it says."""

import asyncio
import random
import time
from base64 import b64encode
from collections import Counter
from typing import Any, cast

import httpx2 as httpx
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import checks as of_schemathesis
from schemathesis.specs.openapi import checks

from api.doors import DOORS, Door
from api.openapi import openapi_document
from tests.security.conftest import ADDRESS, Doors
from tests.security.untouched import Untouched

CHECKED = [
    of_schemathesis.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
]
"""Off: negative_data_rejection and positive_data_acceptance (ingest takes a batch whose messages it
refuses, and the schema cannot say which identity is known), use_after_free and ensure_resource_availability
(customers are made by being named), ignored_auth (the role matrix does it for every door and kind of
caller), unsupported_method (paths share their first part, and `{case:path}` takes everything)."""

SCHEMA = schemathesis.openapi.from_dict(openapi_document())
LEFT_OUT = {"/inbox/stream", "/w/{page}/events"}
"""They go on until the listener leaves."""

WAYS = 5
"""How often each drawn request is sent: with proof and without, with hostile values in its path."""

ROWS_COUNTED = 0.02
"""The share of requests around which all rows are counted: only so is a deletion seen."""

ROUND = 5_000
"""Requests of one seed."""

_VALUES = {
    "identity": ["anna", "ben", "🦊", "%00", "x" * 400], "case": ["1:1", "9" * 18 + ":1", "%00"],
    "n": ["0", "99999999999999999999"], "message": ["1", "99999999999999999999999", "-1"],
    "merge": ["1", "9" * 30, "x"], "provider": ["own", "ses", "postmark", "twilio", "none"],
    "scope": ["channel", "everything", "journey"], "act": ["read", "click", "archive"], "most": ["1", "0", "9" * 30],
    "before": ["1", "9" * 30, "-9"],
}  # fmt: skip
_INBOUND = f"Basic {b64encode(b'clew:inbound-secret-of-the-tests').decode()}"
_TOKENS = {"staff": "operator", "write_key": "ingest key", "devices_key": "devices key"}


class Fuzzing:
    """One after the other, so that what the database wrote meanwhile was written by this request."""

    def __init__(
        self, doors: Doors, client: httpx.AsyncClient, untouched: Untouched, chance: random.Random
    ) -> None:
        self._doors, self._client, self._untouched = doors, client, untouched
        self._loop = asyncio.get_running_loop()
        self._chance = chance
        self._seen = set[tuple[object, ...]]()
        """Answers that were checked: most refusals of a door are the same."""
        self.answered: Counter[str] = Counter()
        self.wrong = list[str]()
        """What is not as the document says."""
        self.touched = list[str]()
        """Requests that were refused, and changed something."""

    @property
    def sent(self) -> int:
        """How many were answered."""
        return sum(self.answered.values()) - self.answered["cannot be sent"]

    def send(self, case: Any) -> None:
        """A drawn request, in several ways."""
        door = next(d for d in DOORS if d.method == case.method and _same(d.path, case.path))
        drawn = [dict(each or {}) for each in (case.path_parameters, case.headers, case.query)]
        for way in range(WAYS):
            case.path_parameters, case.headers, case.query = map(dict, drawn)
            self._prove(case, door, as_drawn=way == 0)
            asyncio.run_coroutine_threadsafe(self._one(case), self._loop).result(120)

    async def _one(self, case: Any) -> None:
        try:
            request = self._request(case.as_transport_kwargs(base_url=ADDRESS))
        except (UnicodeError, TypeError, ValueError, httpx.InvalidURL):
            self.answered["cannot be sent"] += 1
            return
        counting = self._chance.random() < ROWS_COUNTED
        rows = await self._untouched.rows() if counting else {}
        number = await self._untouched.number()
        answer = await self._client.send(request)
        self.answered[f"{answer.status_code // 100}xx"] += 1
        said = f"{case.method} {case.path} {answer.status_code}"
        if answer.status_code >= 400:
            wrote = await self._untouched.written_since(number)
            gone = counting and await self._untouched.rows() != rows
            if wrote or gone:
                self.touched.append(f"{said}: {wrote or 'rows are gone'} {answer.text[:200]}")
        told = answer.headers.get("content-type")
        same = (case.method, case.path, answer.status_code, told, answer.content)
        if same in self._seen:
            return
        try:
            case.validate_response(answer, checks=CHECKED)
            self._seen.add(same)
        except BaseExceptionGroup as failures:  # all of them are told at the end
            why = " / ".join(" ".join(str(each).split())[:200] for each in failures.exceptions)
            self.wrong.append(f"{said}: {why} {answer.text[:200]}")

    def _request(self, kwargs: dict[str, Any]) -> httpx.Request:
        sent = {
            name: kwargs[name]
            for name in ("params", "json", "data", "content")
            if kwargs.get(name) is not None
        }
        if isinstance(sent.get("data"), bytes | str):
            sent["content"] = sent.pop("data")
        # No client can put a space at the end of a header on the wire.
        told = (kwargs.get("headers") or {}).items()
        headers = {k: v.strip() if isinstance(v, str) else v for k, v in told if v is not None}
        return self._client.build_request(
            kwargs["method"], kwargs["url"].removeprefix(ADDRESS), headers=headers,
            cookies=kwargs.get("cookies"), **sent,
        )  # fmt: skip

    def _prove(self, case: Any, door: Door, *, as_drawn: bool) -> None:
        if as_drawn:
            return
        chance, tokens = self._chance, self._doors.tokens
        for name in case.path_parameters:
            if name in _VALUES and chance.random() < 0.7:
                case.path_parameters[name] = chance.choice(_VALUES[name])
            if name == "token" and door.kind and door.kind != "short" and chance.random() < 0.8:
                case.path_parameters[name] = self._doors.link(door.kind, self._doors.people["ben"])
        self._link(case, door)
        if door.proof in _TOKENS and chance.random() < 0.85:
            case.headers["Authorization"] = f"Bearer {tokens[_TOKENS[door.proof]]}"
        if door.proof == "inbound_secret":
            case.headers["Authorization"] = _INBOUND

    def _link(self, case: Any, door: Door) -> None:
        """What a link, what it opened, and what an inbox asks for, where each goes."""
        if door.proof not in ("link", "opened", "inbox_token") or self._chance.random() >= 0.8:
            return
        told = (
            self._doors.link(door.kind, self._doors.people["ben"]) if door.kind != "short" else ""
        )
        if door.proof == "inbox_token":
            case.headers["Authorization"] = f"Bearer {told}"
        elif door.proof == "opened":
            case.path_parameters["page"], case.headers["Cookie"] = self._doors.opened(
                door.kind, told
            )
        elif not case.path_parameters:
            case.body = {"link": told}


def _same(path: str, told: str) -> bool:
    return path.replace(":path", "").replace(":int", "") == told


def operations() -> list[Any]:
    """What the document lists."""
    found: list[Any] = [cast("Any", result).ok() for result in SCHEMA.get_all_operations()]
    return [each for each in found if each.path not in LEFT_OUT]


async def fuzz(fuzzing: Fuzzing, requests: int, first_seed: int, ends_at: float) -> int:
    """At least so many requests, in rounds of a seed each, or as many as the time allows; the rounds it took."""
    rounds, at_once = 0, -(-min(requests, ROUND) // (WAYS * len(operations())))
    while fuzzing.sent < requests and time.monotonic() < ends_at:
        before = len(fuzzing.wrong)
        await _round(fuzzing, at_once, first_seed + rounds, ends_at)
        rounds += 1
        print(f"{fuzzing.sent} requests, {dict(fuzzing.answered)}", flush=True)
        print(*fuzzing.wrong[before:], sep="\n", flush=True)
    return rounds


async def _round(fuzzing: Fuzzing, drawn: int, drawn_by: int, ends_at: float) -> None:
    for operation in operations():
        if time.monotonic() > ends_at:
            return

        @seed(drawn_by)
        @settings(
            max_examples=drawn, deadline=None, database=None, phases=[Phase.generate],
            suppress_health_check=cast("list[HealthCheck]", list(HealthCheck)),
        )  # fmt: skip
        @given(case=operation.as_strategy())
        def knock(case: Any) -> None:
            fuzzing.send(case)

        await asyncio.to_thread(knock)
