"""Whatever the OpenAPI document lets one send, or not, is taken or refused as it says: never a 5xx.

`CLEW_FUZZ_REQUESTS=100000` is the measured version; a part of it goes over a real socket. It ends
after `CLEW_FUZZ_MINUTES`, and tells how far it came.
"""

import json
import logging
import os
import random
import time
from collections.abc import Iterator
from datetime import timedelta

import httpx2 as httpx
import pytest
import structlog

from api.doors import DOORS
from api.openapi import openapi_document
from stores.database import Pool
from tests.integration.api.conftest import serving
from tests.scorecard import CLONE, keep
from tests.security.conftest import ADDRESS, Doors
from tests.security.fuzzing import CHECKED, Fuzzing, fuzz, operations
from tests.security.untouched import Untouched, tables

REQUESTS = int(os.environ.get("CLEW_FUZZ_REQUESTS", "2200"))
MINUTES = float(os.environ.get("CLEW_FUZZ_MINUTES", "180"))
SEED = int(os.environ.get("CLEW_FUZZ_SEED", "12"))


@pytest.fixture(autouse=True)
def _said_by_figures() -> Iterator[None]:
    """A line of the log for each refusal would take as long as the request."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


async def begin(doors: Doors, client: httpx.AsyncClient) -> Fuzzing:
    untouched = Untouched(doors.pool, await tables(doors.pool))
    return Fuzzing(doors, client, untouched, random.Random(SEED))


@pytest.mark.timeout(14_400)
async def test_whatever_is_sent_is_answered_as_the_document_says(doors: Doors) -> None:
    fuzzing = await begin(doors, doors.client)
    rounds = await fuzz(fuzzing, REQUESTS, SEED, time.monotonic() + 60 * MINUTES)

    figures = {
        "requests": fuzzing.sent,
        **dict(sorted(fuzzing.answered.items())),
        "against_the_schema": len(fuzzing.wrong),
        "refused_and_changed": len(fuzzing.touched),
        "seeds": f"{SEED} to {SEED + rounds - 1}",
    }
    wrong = [*fuzzing.wrong, *fuzzing.touched]
    met = not wrong and not fuzzing.answered["5xx"] and fuzzing.sent >= REQUESTS
    said = f"{fuzzing.sent} of {REQUESTS} requests in time" if fuzzing.sent < REQUESTS else ""
    keep("R12", figures, met=met, why="; ".join(filter(None, [said, *wrong[:3]])))
    assert wrong == []
    assert fuzzing.answered["5xx"] == 0
    assert min(fuzzing.answered[each] for each in ("2xx", "4xx")) > fuzzing.sent // 20


@pytest.mark.faults_full
@pytest.mark.timeout(14_400)
async def test_over_a_real_socket_it_is_the_same(doors: Doors) -> None:
    async with serving(doors.app) as address, httpx.AsyncClient(base_url=address) as client:
        fuzzing = await begin(doors, client)
        await fuzz(fuzzing, REQUESTS // 10, SEED + 1_000, time.monotonic() + 60 * MINUTES)
    assert [*fuzzing.wrong, *fuzzing.touched] == []


async def test_the_document_that_is_served_is_the_one_that_is_published(doors: Doors) -> None:
    served = (await doors.client.get("/openapi.json")).json()
    assert served["openapi"] == "3.1.0"
    assert len(served["paths"]) == len({d.path for d in DOORS})
    assert served == json.loads(json.dumps(openapi_document()))
    published = json.loads((CLONE / "docs" / "openapi.json").read_text())
    assert served == published, "python -m api.openapi > docs/openapi.json"


def test_a_door_that_breaks_would_be_seen() -> None:
    """The first check is the one that finds it."""
    operation = next(o for o in operations() if o.path == "/healthz")
    case = operation.Case(method="GET")
    broken = httpx.Response(500, request=httpx.Request("GET", ADDRESS + "/healthz"), json={})
    broken.elapsed = timedelta(0)
    with pytest.raises(BaseExceptionGroup) as found:
        case.validate_response(broken, checks=CHECKED[:1])
    assert "Server error" in str(found.value.exceptions[0])


async def test_what_a_refused_request_wrote_would_be_seen(pool: Pool) -> None:
    untouched = Untouched(pool, await tables(pool))
    number, rows = await untouched.number(), await untouched.rows()
    async with pool.connection() as connection:
        await connection.execute("insert into audit (who, did, object) values ('x', 'y', 'z')")
        await connection.rollback()
    assert await untouched.written_since(number) == []
    async with pool.connection() as connection:
        await connection.execute(
            "insert into staff_tokens (digest, name, role) values ('d', 'n', 'viewer')"
        )
    assert await untouched.written_since(number) == ["staff_tokens"]
    async with pool.connection() as connection:
        await connection.execute("delete from staff_tokens")
    assert await untouched.rows() == rows
    assert await untouched.written_since(await untouched.number()) == []
