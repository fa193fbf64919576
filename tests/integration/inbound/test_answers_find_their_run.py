"""A customer who writes back is heard: by the run that wrote, once, with all that they sent."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from psycopg.errors import CheckViolation

from channels.inbound_mail import Envelope, MailReader
from channels.mail import message_id
from channels.page_message import page_message
from contracts.inbound_message import InboundFile, InboundMessage
from stores.customers import CustomerStore
from stores.inbound import MOST_TOLD_AN_HOUR, InboundStore
from tests.integration.delivery.conftest import ADDRESS, ANNA
from tests.integration.inbound.conftest import LINKS, NUMBER, REPLIES, Post

KEY = f"journey/flight/{ANNA}:7:1"
OWN_ADDRESS = REPLIES.address(KEY) or ""


async def an_open_case(post: Post) -> str:
    await post.desk.rows(
        """
        insert into cases ("case", entry, n, workflow_id, journey, customer, queue, brief, decisions, state,
                           opened_at)
        values ('case/1', 7, 2, 'journey/flight/c_anna', 'flight', %s, 'service', 'b', '{}', 'open', now())
        """,
        ANNA,
    )
    return "case/1"


async def test_an_answer_reaches_the_run_that_wrote(post: Post) -> None:
    await post.desk.deliver(1)
    case = await an_open_case(post)

    heard = await post.mail("I have lost my bag.\n\nOn x, Air wrote:\n> gate B4", to=OWN_ADDRESS)

    assert (heard.new, heard.told, heard.customer) == (True, True, ANNA)
    (told,) = await post.touchpoints("Message Replied")
    assert told["customer"] == ANNA
    assert told["properties"] == {
        "reply": heard.reply,
        "channel": "email",
        "text": "I have lost my bag.",
        "subject": "Re: Gate B4",
        "delivery": KEY,
        "message": "gate",
        "journey": "flight",
        "run": "journey/flight/c_anna",
        "case": case,
    }
    (kept,) = await post.kept()
    assert (kept["delivery"], kept["entry"], kept["case"]) == (KEY, 7, case)
    assert "> gate B4" in kept["whole"]
    assert post.rung == ["told"]
    assert len(await post.desk.rows("select unit from outbox")) == 1


async def test_where_they_wrote_is_remembered(post: Post) -> None:
    await post.desk.deliver(1)
    await post.mail("Hello", to=OWN_ADDRESS)

    (where,) = await post.desk.rows("select * from conversations")
    assert (where["customer"], where["channel"], where["address"]) == (ANNA, "email", ADDRESS)
    (fed,) = await post.desk.rows("select * from delivery_feedback")
    assert (fed["delivery"], fed["kind"]) == (KEY, "replied")


async def test_an_answer_from_another_mailbox_is_heard_but_nothing_goes_there(post: Post) -> None:
    """Somebody whom the mail was passed on to may answer it."""
    await post.desk.deliver(1)

    heard = await post.mail("I will fetch her.", to=OWN_ADDRESS, sender="brother@example.net")

    assert (heard.customer, heard.told) == (ANNA, True)
    assert await post.desk.rows("select * from conversations") == []


async def test_an_answer_is_found_by_what_it_names(post: Post) -> None:
    """Where a mail program answers to another address, In-Reply-To leads to the delivery."""
    sent = message_id(KEY, "air.example")
    await post.desk.deliver(1)
    await post.desk.rows("update deliveries set provider_id = %s", sent)

    await post.mail("Hello", f"References: <older@x> {sent}")

    (told,) = await post.touchpoints("Message Replied")
    assert told["properties"]["delivery"] == KEY


async def test_a_mail_of_their_own_accord_is_heard_without_a_delivery(post: Post) -> None:
    await post.mail("When do you fly to Oslo?", subject="A question")

    (told,) = await post.touchpoints("Message Replied")
    assert set(told["properties"]) == {"reply", "channel", "text", "subject"}
    assert told["customer"] == ANNA


async def test_a_mail_from_nobody_we_know_is_kept_and_nobody_is_made_of_it(post: Post) -> None:
    heard = await post.mail("Buy my watches", sender="spam@example.net")

    assert (heard.customer, heard.told, heard.reason) == (None, False, "nobody knows who wrote")
    assert len(await post.kept()) == 1
    assert len(await post.desk.rows("select * from customers")) == 1
    assert post.rung == []


async def test_where_strangers_are_welcome_they_become_customers(post: Post) -> None:
    store = InboundStore(post.desk.pool, CustomerStore(post.desk.pool), welcome={"email"})
    raw = b"From: new@example.net\r\nSubject: Hi\r\n\r\nDo you fly to Oslo?"
    read = MailReader(REPLIES, LINKS).read(raw, Envelope(at=datetime.now(UTC)))
    robot = replace(read.message, reply="email-robot", kind="automatic")

    assert (await store.take(robot)).customer is None
    heard = await store.take(read.message)

    assert heard.told
    (known,) = await post.desk.rows("select * from identities where value = 'new@example.net'")
    assert known["customer"] == heard.customer


async def test_a_message_that_comes_twice_is_one(post: Post) -> None:
    await post.desk.deliver(1)
    first = await post.mail("Hello", to=OWN_ADDRESS, number=1)

    again = await asyncio.gather(
        *(post.mail("Hello", to=OWN_ADDRESS, number=n) for n in (1, 2, 2, 2, 2))
    )

    assert again[0].reply == first.reply
    assert sum(heard.new for heard in again) == 1
    assert len(await post.kept()) == len(await post.touchpoints("Message Replied")) == 2


async def test_files_are_kept_with_their_message(post: Post) -> None:
    photo = InboundFile(name="bag.png", media_type="image/png", content=b"\x89PNG\x00")

    heard = await post.text("This one", files=(photo, replace(photo, name="b.png")))

    assert await post.store.file(heard.reply, 2) == replace(photo, name="b.png")
    assert await post.store.file(heard.reply, 3) is None
    assert await post.store.file("no\x00ne", 1) is None


async def test_a_robot_is_kept_and_nobody_is_told(post: Post) -> None:
    await post.desk.deliver(1)

    heard = await post.mail("Back on Monday", "Auto-Submitted: auto-replied", to=OWN_ADDRESS)

    assert (heard.kind, heard.told, heard.customer) == ("automatic", False, ANNA)
    assert await post.touchpoints() == []
    assert await post.desk.rows("select * from conversations") == []


async def test_a_robot_that_answers_our_answers_comes_to_an_end(post: Post) -> None:
    """It says nothing of being one; each of its mails would make a run write again."""
    heard = [await post.mail("Thank you for your message!") for _ in range(MOST_TOLD_AN_HOUR + 3)]

    assert len(await post.touchpoints("Message Replied")) == MOST_TOLD_AN_HOUR
    assert len(await post.kept()) == MOST_TOLD_AN_HOUR + 3
    assert heard[-1].reason == "more than 20 in an hour from this address: a robot?"


async def test_after_an_hour_they_are_heard_again(post: Post) -> None:
    store = InboundStore(post.desk.pool, CustomerStore(post.desk.pool), most_told_an_hour=1)
    await post.knows_number()
    now = datetime.now(UTC)
    message = InboundMessage(
        reply="sms-1", channel="sms", address=NUMBER, received_at=now, names=(("phone", NUMBER),)
    )

    told = [
        (
            await store.take(
                replace(message, reply=f"sms-{n}", received_at=now + timedelta(minutes=m))
            )
        ).told
        for n, m in enumerate([0, 30, 61])
    ]

    assert told == [True, False, True]


async def test_a_text_message_answers_the_newest_that_its_number_got(post: Post) -> None:
    await post.was_texted(1, days_ago=3)
    newest = await post.was_texted(2, days_ago=1)

    await post.text("Yes please")

    (told,) = await post.touchpoints("Message Replied")
    assert (told["properties"]["delivery"], told["customer"]) == (newest, ANNA)


async def test_a_number_written_by_hand_is_the_same_number(post: Post) -> None:
    await post.knows_number()
    key = await post.was_texted(1, address="+420 601 123 456")

    await post.text("Yes please")

    (told,) = await post.touchpoints("Message Replied")
    assert told["properties"]["delivery"] == key


async def test_a_text_message_after_a_month_answers_nothing(post: Post) -> None:
    await post.knows_number()
    await post.was_texted(1, days_ago=31)

    await post.text("Hello?")

    (told,) = await post.touchpoints("Message Replied")
    assert told["customer"] == ANNA
    assert "delivery" not in told["properties"]


async def test_who_writes_first_by_text_message_becomes_a_customer(post: Post) -> None:
    heard = await post.text("Do you fly to Oslo?")

    assert heard.told
    assert (await post.desk.rows("select * from identities where kind = 'phone'"))[0][
        "customer"
    ] == heard.customer


async def test_what_a_customer_writes_on_a_page_is_theirs(post: Post) -> None:
    said = page_message(ANNA, "m-1", "Is my\u0000 flight late?", datetime.now(UTC))

    first, again = await post.store.take(said), await post.store.take(said)

    assert (first.new, first.told, again.new) == (True, True, False)
    (told,) = await post.touchpoints("Message Replied")
    assert (told["customer"], told["properties"]["channel"]) == (ANNA, "inbox")
    assert told["properties"]["text"] == "Is my flight late?"


async def test_a_long_letter_is_told_in_short_and_kept_whole(post: Post) -> None:
    await post.mail("word " * 5_000)

    (told,), (kept,) = await post.touchpoints(), await post.kept()
    assert len(told["properties"]["text"]) == 4_000
    assert len(kept["text"]) == 24_999


@pytest.mark.parametrize("at", ["inbound_files", "conversations", "touchpoints"])
async def test_what_cannot_be_kept_whole_is_not_kept_at_all(post: Post, at: str) -> None:
    """Then the door says so, and whoever brought it comes again."""
    await post.knows_number()
    await post.desk.rows(f"alter table {at} add constraint full_disk check (false) not valid")
    photo = InboundFile(name="bag.png", media_type="image/png", content=b"\x89PNG")

    with pytest.raises(CheckViolation, match="full_disk"):
        await post.text("This one", files=(photo,))
    await post.desk.rows(f"alter table {at} drop constraint full_disk")

    assert await post.kept() == []
    assert await post.touchpoints() == []
