"""What the house set in its files is read by whoever runs journeys: queues, members, roles, caps and quiet hours."""

import pytest

from journey.house_files import read_house_file
from stores.published import HOUSE, PublishedStore
from tests.integration.control.conftest import Control
from tests.integration.inbox.staff_house import HOSTILE, said

QUEUES, LIMITS = "/control/settings/queues", "/control/settings/limits"
POLICY = """
zone: Europe/Prague
consent:
  marketing: {email: opt_out, others: opt_in}
  service: {whatsapp: opt_in}
caps:
  - {at_most: 3, within: 7d, purpose: marketing}
  - {at_most: 1, within: 24h, channel: sms}
quiet_hours:
  - {from: "21:00", to: "08:00"}
  - {from: "00:00", to: "24:00", channels: [sms], weekdays: [sunday], holidays: customer.country}
rates: {email: 50 per second, twilio: 1 per minute}
"""


async def published(control: Control, text: str) -> str:
    read = read_house_file("policy", text, "policy.yaml")
    source = read.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return await PublishedStore(control.house.pool).publish("policy", HOUSE, source)


@pytest.mark.parametrize("member", ["lena", "ana", "root"])
async def test_each_queue_is_shown_with_its_members_and_its_open_cases(
    control: Control, member: str
) -> None:
    await control.house.opened()
    await control.house.opened()
    async with control.house.pool.connection() as connection:
        await connection.execute(
            "update cases set resolve_by = now() - interval '1 hour' where n = 2"
        )
    await control.house.signed_in(control.lead.client, member)

    words = said(await control.lead.goes(QUEUES))

    assert "Queues 3" in words
    assert "Open cases 2" in words
    assert "Past their next deadline ! 1" in words
    assert "Queues with nobody in them ! 1" in words  # leads
    assert "Sales sales 2 wait, 0 taken ! 1 late" in words
    assert "4, 4 there now pulled" in words
    assert "clew publish queues.yaml" in words
    assert "As queues.yaml says it, revision" in words


async def test_a_queue_that_only_cases_name_is_told_apart(control: Control) -> None:
    await control.house.opened(queue="returns")

    assert "returns returns; only cases name it 1 wait" in said(await control.lead.goes(QUEUES))


async def test_members_stand_there_with_role_queues_and_authority_and_without_addresses(
    control: Control,
) -> None:
    await control.house.hire("cora", HOSTILE, "agent", ["sales"], languages=("cs",), grants=12.5)

    page = await control.lead.goes(QUEUES)

    words = said(page)
    assert f"{HOSTILE} cora agent sales cs 12.50 8" in words
    assert "Root Admin root admin all – no limit" in words
    assert "Ana Lyst ana analyst sales – decides nothing" in words
    assert "agent answers customers: cases in the inbox 4" in words
    assert "@house.example" not in page.text
    assert "<script>document" not in page.text
    assert "clew members add" in words


async def test_what_holds_for_each_channel_is_shown_and_how_it_is_changed(control: Control) -> None:
    revision = await published(control, POLICY)

    words = said(await control.lead.goes(LIMITS))

    assert f"As policy.yaml says it, revision {revision[:12]}" in words
    assert "clew publish policy.yaml" in words
    assert (
        "e-mail email all but who said no 21:00–08:00 3 in 7d, counting marketing 50 per second"
        in words
    )
    assert (
        "text message sms only who said yes 21:00–08:00; 00:00–24:00 on Sunday, holidays of customer.country"
        " 3 in 7d, counting marketing 1 in 24h by sms, counting all that left it can"
    ) in words
    assert "of whom nobody knows it, Europe/Prague" in words
    assert "only who said yes whatsapp" in words
    assert "twilio 1 per minute" in words


async def test_quiet_hours_over_midnight_are_drawn_on_both_ends_of_the_day(
    control: Control,
) -> None:
    await published(control, 'quiet_hours: [{from: "21:00", to: "08:00"}]')

    page = await control.lead.goes(LIMITS)

    assert page.text.count('<rect class="each" x="1260" width="180" height="60"/>') == 9
    assert page.text.count('<rect class="each" x="0" width="480" height="60"/>') == 9


async def test_without_a_policy_it_is_said_that_nothing_holds(control: Control) -> None:
    words = said(await control.lead.goes(LIMITS))

    assert "No policy is published: marketing goes to everybody who did not say no" in words
    assert "No policy.yaml was published" in words
    assert "whatsapp all but who said no nothing no limit it can" in words


@pytest.mark.parametrize("path", [QUEUES, LIMITS])
async def test_an_agent_is_told_who_may(control: Control, path: str) -> None:
    answer = await control.agent.goes(path)

    assert answer.status_code == 403
    assert "This is for lead, editor, analyst and admin." in said(answer)
