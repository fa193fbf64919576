"""Whatever the OpenAPI document lets one send, or not, is taken or refused as it says: never a 5xx.

`CLEW_FUZZ_REQUESTS=100000` is the measured version; a part of it goes over a real socket.
"""

import asyncio
import os
import random
from collections import Counter
from datetime import timedelta
from typing import Any, cast

import httpx2 as httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import checks as of_schemathesis
from schemathesis.specs.openapi import checks

from api.doors import DOORS
from api.openapi import openapi_document
from tests.integration.api.conftest import serving
from tests.scorecard import keep
from tests.security.conftest import ADDRESS, Doors

REQUESTS = int(os.environ.get("CLEW_FUZZ_REQUESTS", "1500"))
SEED = int(os.environ.get("CLEW_FUZZ_SEED", "12"))

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
ANSWERED: Counter[str] = Counter()
LEFT_OUT = {"/inbox/{token}/stream", "/w/{token}/events"}
"""They go on until the listener leaves."""

_VALUES = {
    "identity": ["anna", "ben", "🦊", "%00", "x" * 400], "case": ["1:1", "9" * 18 + ":1", "%00"],
    "n": ["0", "99999999999999999999"], "message": ["1", "99999999999999999999999", "-1"],
    "merge": ["1", "9" * 30, "x"], "provider": ["own", "ses", "postmark", "twilio", "none"],
    "scope": ["channel", "everything", "journey"], "act": ["read", "click", "archive"], "most": ["1", "0", "9" * 30],
    "before": ["1", "9" * 30, "-9"],
}  # fmt: skip


class Fuzzing:
    """Sends what schemathesis draws; half of it with the right proof, so that it comes in."""

    def __init__(self, doors: Doors, client: httpx.AsyncClient) -> None:
        self._doors, self._client = doors, client
        self._loop = asyncio.get_running_loop()
        self._chance = random.Random(SEED)
        self.wrong = list[str]()

    def send(self, case: Any) -> None:
        self._prove(case)
        try:
            kwargs = case.as_transport_kwargs(base_url=ADDRESS)
        except UnicodeError:
            ANSWERED["cannot be sent"] += 1
            return
        answer = asyncio.run_coroutine_threadsafe(self._answer(kwargs), self._loop).result(60)
        if answer is None:
            return
        ANSWERED[f"{answer.status_code // 100}xx"] += 1
        try:
            case.validate_response(answer, checks=CHECKED)
        except Exception as failure:  # all of them are told at the end
            said = " ".join(str(failure).split())[:300]
            self.wrong.append(f"{case.method} {case.path} {answer.status_code}: {said}")

    async def _answer(self, kwargs: dict[str, Any]) -> httpx.Response | None:
        sent = {
            name: kwargs[name]
            for name in ("params", "json", "data", "content")
            if kwargs.get(name) is not None
        }
        if isinstance(sent.get("data"), bytes | str):
            sent["content"] = sent.pop("data")
        headers = {k: v for k, v in (kwargs.get("headers") or {}).items() if v is not None}
        try:
            request = self._client.build_request(
                kwargs["method"], kwargs["url"].removeprefix(ADDRESS), headers=headers,
                cookies=kwargs.get("cookies"), **sent,
            )  # fmt: skip
        except (UnicodeError, TypeError, ValueError, httpx.InvalidURL):
            ANSWERED["cannot be sent"] += 1
            return None
        return await self._client.send(request)

    def _prove(self, case: Any) -> None:
        door = next(d for d in DOORS if d.method == case.method and _same(d.path, case.path))
        chance, tokens = self._chance, self._doors.tokens
        for name in list(case.path_parameters or {}):
            if name in _VALUES and chance.random() < 0.7:
                case.path_parameters[name] = chance.choice(_VALUES[name])
            if name == "token" and door.kind and door.kind != "short" and chance.random() < 0.8:
                case.path_parameters[name] = self._doors.link(door.kind, self._doors.people["ben"])
        token = {"staff": "operator", "write_key": "ingest key", "devices_key": "devices key"}.get(
            door.proof
        )
        if token and chance.random() < 0.85:
            case.headers["Authorization"] = f"Bearer {tokens[token]}"
        if door.proof == "inbound_secret":
            case.query["key"] = "inbound-secret-of-the-tests"


def _same(path: str, told: str) -> bool:
    return path.replace(":path", "").replace(":int", "") == told


def _operations() -> list[Any]:
    found: list[Any] = [cast("Any", result).ok() for result in SCHEMA.get_all_operations()]
    return [each for each in found if each.path not in LEFT_OUT]


async def _fuzz(doors: Doors, client: httpx.AsyncClient, requests: int) -> list[str]:
    fuzzing, operations = Fuzzing(doors, client), _operations()
    for operation in operations:
        strategy = operation.as_strategy()

        @seed(SEED)
        @settings(
            max_examples=max(1, requests // len(operations)), deadline=None, database=None,
            phases=[Phase.generate], suppress_health_check=cast("list[HealthCheck]", list(HealthCheck)),
        )  # fmt: skip
        @given(case=strategy)
        def knock(case: Any) -> None:
            fuzzing.send(case)

        await asyncio.to_thread(knock)
    return fuzzing.wrong


@pytest.mark.faults_full
@pytest.mark.timeout(7_200)
async def test_whatever_is_sent_is_answered_as_the_document_says(doors: Doors) -> None:
    wrong = await _fuzz(doors, doors.client, REQUESTS)

    sent = sum(ANSWERED.values())
    figures = {"requests": sent, **ANSWERED, "against_the_schema": len(wrong), "seed": SEED}
    keep("R12", figures, met=not wrong and not ANSWERED["5xx"])
    assert wrong == []
    assert ANSWERED["5xx"] == 0


@pytest.mark.faults_full
@pytest.mark.timeout(7_200)
async def test_over_a_real_socket_it_is_the_same(doors: Doors) -> None:
    async with serving(doors.app) as address, httpx.AsyncClient(base_url=address) as client:
        assert await _fuzz(doors, client, REQUESTS // 10) == []


async def test_the_document_that_is_served_is_the_one_that_is_published(doors: Doors) -> None:
    served = (await doors.client.get("/openapi.json")).json()
    assert served["openapi"] == "3.1.0"
    assert {len(served["paths"])} == {len({d.path for d in DOORS})}


def test_a_door_that_breaks_would_be_seen() -> None:
    """The first check is the one that finds it."""
    operation = next(o for o in _operations() if o.path == "/healthz")
    case = operation.Case(method="GET")
    broken = httpx.Response(500, request=httpx.Request("GET", ADDRESS + "/healthz"), json={})
    broken.elapsed = timedelta(0)
    with pytest.raises(BaseExceptionGroup) as found:
        case.validate_response(broken, checks=CHECKED[:1])
    assert "Server error" in str(found.value.exceptions[0])
