"""STOP is obeyed in the transaction that keeps it: what is decided afterwards knows it."""

import asyncio

import pytest

from channels.unsubscribe_link import Unsubscription
from stores.consents import ConsentStore
from tests.integration.delivery.conftest import ADDRESS, ANNA
from tests.integration.inbound.conftest import LINKS, NUMBER, Post


async def test_who_writes_unsubscribe_gets_no_more_marketing_and_all_service(post: Post) -> None:
    assert (await post.desk.deliver(1, purpose="marketing")).state == "accepted"

    heard = await post.mail("Unsubscribe please.\n\nOn x, Air wrote:\n> Our offers")

    assert (await post.desk.deliver(2, purpose="marketing")).reason == "no_consent"
    assert (await post.desk.deliver(3)).state == "accepted"
    assert (heard.kind, heard.told) == ("stop", False)
    (said,) = await post.desk.rows("select * from consents")
    assert (said["customer"], said["channel"], said["given"], said["source"]) == (
        ANNA,
        "email",
        False,
        "reply",
    )
    assert said["proof"] == f"{heard.reply} Unsubscribe please."


async def test_runs_hear_that_somebody_left_and_not_that_they_answered(post: Post) -> None:
    await post.mail("unsubscribe")

    assert [one["event"] for one in await post.touchpoints()] == ["Message Unsubscribed"]


async def test_a_message_decided_while_stop_is_being_kept_waits_for_it(post: Post) -> None:
    """Many at once: whatever is accepted was decided before, and nothing after it."""
    stop = asyncio.create_task(post.mail("unsubscribe"))
    sent = await asyncio.gather(*(post.desk.deliver(n, purpose="marketing") for n in range(1, 9)))

    assert (await stop).kind == "stop"
    assert {told.reason for told in sent} <= {"", "no_consent"}
    assert (await post.desk.deliver(9, purpose="marketing")).reason == "no_consent"


async def test_the_button_of_a_mail_program_that_only_writes(post: Post) -> None:
    """List-Unsubscribe's mailto: whoever's mailbox it comes from, the link says whose mail it was."""
    token = LINKS.token(Unsubscription(customer=ANNA, purpose="marketing", channel="email"))

    heard = await post.mail("", subject=f"unsubscribe {token}", sender="elsewhere@example.net")

    assert (heard.kind, heard.customer) == ("stop", ANNA)
    assert await post.consents() == [("email", False, "reply")]


async def test_a_forged_button_unsubscribes_nobody(post: Post) -> None:
    token = LINKS.token(Unsubscription(customer=ANNA, purpose="marketing", channel="email"))

    heard = await post.mail("", subject=f"unsubscribe x{token}", sender="elsewhere@example.net")

    assert heard.customer is None
    assert await post.consents() == []


async def test_stop_by_text_message_stops_everything_to_the_number(post: Post) -> None:
    """Carriers forbid service messages too; the address is kept as the ledger writes it, too."""
    await post.was_texted(1, address="+420 601 123 456")
    await post.knows_number()

    heard = await post.text("STOP", "stop")

    assert heard.kind == "stop"
    assert await post.consents() == [("sms", False, "reply")]
    stopped = await post.desk.rows(
        "select address, reason from suppressed_addresses order by address"
    )
    assert stopped == [
        {"address": "+420 601 123 456", "reason": "stop"},
        {"address": NUMBER, "reason": "stop"},
    ]
    assert [one["event"] for one in await post.touchpoints()] == ["Message Unsubscribed"]


async def test_stop_of_a_number_that_nobody_knows_is_obeyed(post: Post) -> None:
    await post.text("STOP", "stop")

    assert len(await post.desk.rows("select * from suppressed_addresses")) == 1


@pytest.mark.parametrize("word", ["START", "Yes", "UNSTOP"])
async def test_start_gives_back_what_stop_took(post: Post, word: str) -> None:
    await post.knows_number()
    await post.text("STOP", "stop")

    heard = await post.text(word, "start")

    assert (heard.kind, heard.told) == ("start", False)
    assert await post.consents() == [("sms", False, "reply"), ("sms", True, "reply")]
    assert await post.desk.rows("select * from suppressed_addresses") == []


async def test_start_does_not_give_back_what_was_withdrawn_on_a_page(post: Post) -> None:
    await post.knows_number()
    store = ConsentStore(post.desk.pool)
    await store.withdraw(ANNA, "marketing", "sms", source="page", proof="p")
    await post.text("STOP", "stop")

    heard = await post.text("START", "start")

    assert heard.kind == "start"
    assert await post.desk.rows("select * from suppressed_addresses") == []
    assert await post.consents() == [("sms", False, "page")]


async def test_yes_to_a_question_is_an_answer(post: Post) -> None:
    await post.knows_number()
    await post.was_texted(1)

    heard = await post.text("Yes", "start")

    assert (heard.kind, heard.told) == ("reply", True)
    assert await post.consents() == []


async def test_start_does_not_revive_an_address_that_bounced(post: Post) -> None:
    await post.knows_number()
    await post.desk.rows("insert into suppressed_addresses values ('sms', %s, 'bounced')", NUMBER)

    assert (await post.text("START", "start")).kind == "reply"
    assert len(await post.desk.rows("select * from suppressed_addresses")) == 1


async def test_who_asks_for_help_is_heard(post: Post) -> None:
    await post.knows_number()

    heard = await post.text("HELP", "help")

    assert (heard.kind, heard.told) == ("help", True)


async def test_a_sender_that_is_no_customer_stops_nothing_of_anybody(post: Post) -> None:
    """A mail's sender is what the mail says: it never gives consent, and takes only its own."""
    await post.mail("unsubscribe", sender="other@example.net")
    await post.mail("start", sender=ADDRESS, subject="start")

    assert await post.consents() == []
