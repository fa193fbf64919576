"""`clew feedback` tells what became of a customer's messages, in words or as JSON."""

import asyncio
import json
from pathlib import Path

import pytest
import pytest_asyncio
from typer.testing import CliRunner, Result

from cli.main import app
from contracts.delivery_feedback import Feedback
from stores.customers import CustomerStore
from stores.database import Pool
from stores.feedback import FeedbackStore
from tests.integration.stores.conftest import NOW

KEY = "journey/flight/c_anna:7:1"


@pytest_asyncio.fixture
async def anna(pool: Pool) -> str:
    async with pool.connection() as connection:
        customer = await CustomerStore(pool).resolve(connection, [("user_id", "anna")])
        await connection.execute(
            "insert into deliveries (key, entry, n, journey, customer, message, purpose, channel,"
            " address, state, run_time) values (%s, 7, 1, 'flight', %s, 'gate', 'service', 'email',"
            " 'anna@example.com', 'accepted', %s)",
            [KEY, customer, NOW],
        )
    bounced = Feedback(
        event_id="ses:1", kind="bounced", at=NOW, mark=KEY, hard=True, detail="550 user unknown"
    )
    await FeedbackStore(pool).take([bounced])
    return customer


@pytest.fixture
def clew(pool: Pool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> "Clew":
    monkeypatch.setenv("CLEW_DATABASE_URL", str(pool.conninfo))
    monkeypatch.setenv("COLUMNS", "200")
    return Clew(tmp_path)


class Clew:
    def __init__(self, state: Path) -> None:
        self._state = state

    async def __call__(self, *arguments: str) -> Result:
        asked = ["feedback", *arguments, "--state", str(self._state)]
        return await asyncio.to_thread(CliRunner().invoke, app, asked)


async def test_staff_read_why_a_message_did_not_arrive(clew: Clew, anna: str) -> None:
    for whose in (("--customer", "anna"), ("--delivery", "7:1"), ("--delivery", KEY)):
        told = await clew(*whose)

        assert told.exit_code == 0, told.output
        for word in ("bounced", "gate", "flight", "email", "7:1", "for good: 550 user unknown"):
            assert word in told.output

    (as_json,) = json.loads((await clew("--customer", "anna", "--json")).stdout)
    assert as_json["customer"] == anna
    assert (as_json["kind"], as_json["delivery"], as_json["event_id"]) == ("bounced", KEY, "ses:1")


@pytest.mark.usefixtures("anna")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "--customer"),
        (("--customer", "anna", "--delivery", "7:1"), "--customer"),
        (("--customer", "ben"), "Nobody is known as ben"),
        (("--delivery", "7:2"), "There is no delivery 7:2"),
    ],
)
async def test_what_cannot_be_found_is_said(
    clew: Clew, arguments: tuple[str, ...], said: str
) -> None:
    told = await clew(*arguments)

    assert told.exit_code != 0
    assert said in str(told.exception)
