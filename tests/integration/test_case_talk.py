"""A complaint on the real stack: staff answer by mail from the case, and the customer by another channel."""

from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.inbound_message import InboundMessage
from stores.case_messages import CaseWriter, Letter
from stores.customers import CustomerStore
from stores.inbound import InboundStore
from stores.published import HOUSE, PublishedStore
from tests.integration.conftest import Stack
from tests.integration.test_staff_cases import QUEUES, STAYS, case_of, clock_of


@pytest.fixture(autouse=True)
async def _queues(stack: Stack) -> None:
    await PublishedStore(stack.pool).publish("queues", HOUSE, QUEUES)


async def says(stack: Stack, customer: str, **more: Any) -> None:
    """The customer writes to us."""
    told: dict[str, Any] = {
        "reply": f"sms-{customer}", "channel": "sms", "address": "+420601000111", "text": "Still cold",
        "received_at": datetime.now(UTC), "names": (("user_id", customer),), **more,
    }  # fmt: skip
    inbound = InboundStore(stack.pool, CustomerStore(stack.pool), stack.heard.set)
    await inbound.take(InboundMessage(**told))


async def test_a_complaint_is_answered_by_mail_and_the_customer_answers_by_text_on_the_same_case(
    stack: Stack,
) -> None:
    await stack.write("cold-again", STAYS % ("Cold Again", "2 business hours", "5 business hours"))
    guest = await stack.know("guest-cold-again", email="cold@example.com")
    await stack.tell("Cold Again", customer="guest-cold-again")
    case, writer = await case_of(stack, guest), CaseWriter(stack.pool, stack.heard.set)
    clock = await clock_of(stack, case)

    undone = await writer.write(case.case, "eva", Letter(subject="Wrong", text="No."))
    await writer.undo(case.case, undone.message, "eva")
    letter = Letter(subject="Your room", text="Dear guest,\n\nsomebody is on the way.")
    await writer.write(case.case, "eva", letter)
    await stack.until(lambda: stack.told(guest) == ["Your room"])

    async def noted() -> bool:
        return [each.state for each in await writer.messages(case.case)] == ["undone", "sent"]

    await stack.until(noted)
    await writer.wait_for_customer(case.case, "eva")
    await says(stack, "guest-cold-again")

    now = await writer.case(case.case)
    assert now is not None
    assert (now.state, now.claimed_by, now.waits_since is not None) == ("claimed", "eva", True)
    [kept] = await stack.rows(
        'select "case" from inbound_messages where reply = %s', "sms-guest-cold-again"
    )
    assert kept["case"] == case.case
    await writer.write(case.case, "eva", Letter(subject="Warm now?", text="Is it warm?"))
    await writer.decide(case.case, "moved", {}, by="eva")

    # What was written leaves also where the case is decided within the ten seconds.
    assert await clock.result() == {"state": "resolved"}
    assert stack.told(guest) == ["Your room", "Warm now?"]
