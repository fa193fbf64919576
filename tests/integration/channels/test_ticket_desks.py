"""A case in Zendesk and in Salesforce: one ticket whatever is lost on the way, and a decision that comes back."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import pytest_asyncio
from pytest_httpserver import HTTPServer

from activities.message_channel import ProviderBusyError
from channels.salesforce import SalesforceDesk
from channels.zendesk import ZendeskDesk
from contracts.outside_desk import ShownCase
from journey.effects import OfferedDecision
from tests.integration.channels.ticket_servers import EVA, FIELD, FakeSalesforce, FakeZendesk

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
CASE = ShownCase(
    case="case/journey/complaint/c_1:7:3", name="7:3", title="Lost <b>bag</b>", brief="It is gone.",
    queue="complaints", queue_title="Complaints", state="open", over=False, customer="c_1",
    link="https://clew.test/staff/case/7:3", due=NOON,
    decisions={"pay": OfferedDecision(fields={"amount": "number"})},
)  # fmt: skip


@pytest.fixture
def zendesk(httpserver: HTTPServer) -> FakeZendesk:
    return FakeZendesk(httpserver)


@pytest.fixture
def salesforce(httpserver: HTTPServer) -> FakeSalesforce:
    return FakeSalesforce(httpserver)


@pytest_asyncio.fixture
async def desk(zendesk: FakeZendesk) -> AsyncIterator[ZendeskDesk]:
    desk = ZendeskDesk(
        zendesk.url, "bot@house.example", "secret", FIELD, now=lambda: NOON, queues=["complaints"]
    )
    yield desk
    await desk.close()


@pytest_asyncio.fixture
async def force(salesforce: FakeSalesforce) -> AsyncIterator[SalesforceDesk]:
    desk = SalesforceDesk(salesforce.url, "app", "secret", now=lambda: NOON)
    yield desk
    await desk.close()


async def test_a_case_is_one_ticket_though_the_answer_was_lost(
    zendesk: FakeZendesk, desk: ZendeskDesk
) -> None:
    zendesk.loses_answers = True
    with pytest.raises(ProviderBusyError):
        await desk.put(CASE, None)
    ticket = await desk.put(CASE, None)
    await desk.put(replace(CASE, state="resolved", over=True), ticket)

    [kept] = zendesk.tickets.values()
    assert (ticket, kept["external_id"], kept["status"]) == ("1", CASE.case, "solved")
    assert (kept["subject"], kept["due_at"]) == ("Lost <b>bag</b>", NOON.isoformat())
    [(_, words, public)] = zendesk.comments
    assert "It is gone." in words
    assert "pay amount=…" in words
    assert not public
    assert await desk.put(replace(CASE, case="case/2", queue="sales"), None) == ""


async def test_a_decision_in_the_field_comes_back_with_whose_it_is_and_a_refusal_is_said_there(
    zendesk: FakeZendesk, desk: ZendeskDesk
) -> None:
    ticket = await desk.put(CASE, None)
    before = await desk.heard("")
    zendesk.decides(1, "pay amount=20")
    heard = await desk.heard(before.asked_to)
    [decided] = heard.decisions
    await desk.refuse(decided.outside_id, "amount: 20 is more than the 10 you may grant")
    again = await desk.heard(heard.asked_to)

    assert before.decisions == ()
    assert (decided.case, decided.outside_id, decided.by) == (CASE.case, ticket, EVA)
    assert decided.line == "pay amount=20"
    assert again.decisions == ()
    assert (zendesk.tickets[1]["status"], zendesk.comments[-1][2]) == ("open", False)
    assert "more than the 10" in zendesk.comments[-1][1]


@pytest.mark.parametrize("status", [429, 401, 500])
async def test_zendesk_that_is_away_is_asked_again_later(
    zendesk: FakeZendesk, desk: ZendeskDesk, status: int
) -> None:
    zendesk.trouble = [status]
    with pytest.raises(ProviderBusyError):
        await desk.heard("")
    assert (await desk.heard("")).decisions == ()


async def test_a_ticket_that_is_closed_for_good_stops_nothing(
    zendesk: FakeZendesk, desk: ZendeskDesk
) -> None:
    ticket = await desk.put(CASE, None)
    zendesk.tickets[1]["status"] = "closed"

    assert await desk.put(replace(CASE, over=True, state="expired"), ticket) == ticket
    await desk.refuse(ticket, "too late")


async def test_a_case_is_one_record_and_a_token_that_ran_out_is_renewed(
    salesforce: FakeSalesforce, force: SalesforceDesk
) -> None:
    first = await force.put(CASE, None)
    salesforce.forgets = True
    second = await force.put(replace(CASE, state="resolved", over=True), first)

    [record] = salesforce.records.values()
    assert (first, second, salesforce.tokens) == (record["Id"], record["Id"], 2)
    assert (record["Status"], record["Subject"]) == ("Closed", "Lost <b>bag</b>")
    assert "pay amount=…" in record["Description"]


async def test_a_decision_in_salesforce_comes_back_and_a_refusal_empties_the_field(
    salesforce: FakeSalesforce, force: SalesforceDesk
) -> None:
    await force.put(CASE, None)
    since = (await force.heard("")).asked_to
    salesforce.decides(CASE.case, "pay amount=20")
    [decided] = (await force.heard(since)).decisions
    await force.refuse(decided.outside_id, "nobody who works here")

    assert (decided.case, decided.by, decided.line) == (CASE.case, EVA, "pay amount=20")
    assert (await force.heard(since)).decisions == ()
    [comment] = salesforce.comments
    assert (comment["ParentId"], comment["IsPublished"]) == (decided.outside_id, False)


async def test_a_wrong_secret_names_the_setting(salesforce: FakeSalesforce) -> None:
    desk = SalesforceDesk(salesforce.url, "app", "wrong", now=lambda: NOON)
    with pytest.raises(ProviderBusyError, match="CLEW_SALESFORCE_CLIENT_ID"):
        await desk.put(CASE, None)
    await desk.close()
