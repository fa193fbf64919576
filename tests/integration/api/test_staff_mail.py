"""Staff answer by mail: only who may, only once, and what could not be done they are told."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from aiosmtplib import SMTPException

from channels.recording import Busy, RefuseForGood, StallAfterAccept
from channels.staff_address import StaffAddresses, staff_mail_key
from stores.database import Pool
from stores.members import MemberStore
from tests.integration.api.staff_post import (
    BOB,
    CASE,
    DOMAIN,
    EVA,
    JAN,
    SECRET,
    StaffPost,
    staff_post,
)


@pytest_asyncio.fixture
async def post(pool: Pool) -> AsyncIterator[StaffPost]:
    async with staff_post(pool) as opened:
        yield opened


async def test_who_gets_a_case_is_written_to_and_decides_it_by_answering(post: StaffPost) -> None:
    mail = await post.given()

    assert mail["Subject"] == "[0:7] Lamp"
    assert mail["To"] == EVA.lower()
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Reply-To"].startswith("staff+")
    text = mail.get_content()
    for part in (
        "from bob: knows lamps", "It came broken", "#decide refund amount=…", "#let-go",
        "2030-01-02 03:04 (UTC)", "https://clew.test/staff/case/0%3A7",
    ):  # fmt: skip
        assert part in text

    heard = await post.reply(mail, "#note It is the glass\n#decide refund amount=20\n")

    case = await post.case()
    assert (case.state, case.decision, case.fields, case.decided_by) == (
        "resolved", "refund", {"amount": 20}, "eva",
    )  # fmt: skip
    assert (heard.new, heard.told, await post.answers()) == (True, True, [])
    deeds = await post.rows("select who, did, actor from audit where who = 'eva' order by audit")
    assert [(row["did"], row["actor"]) for row in deeds] == [
        ("noted", "eva"), ("decided refund", "eva"),
    ]  # fmt: skip
    assert await post.rows("select 1 from inbound_messages") == []


async def test_what_stands_below_the_orders_goes_to_the_customer_with_its_files_and_once(
    post: StaffPost,
) -> None:
    mail = await post.given()
    parts = (
        "--b\r\nContent-Type: text/plain\r\n\r\n#note called\r\n\r\nDear Anna,\r\n\r\nA new one comes.\r\n"
        "\r\n> quoted\r\n--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment;"
        ' filename="label.txt"\r\n\r\nLABEL\r\n--b--\r\n'
    )
    kind = 'Content-Type: multipart/mixed; boundary="b"'
    heard = await post.reply(mail, "", kind, "MIME-Version: 1.0", body=parts)
    for _ in range(2):
        heard = await post.reply(mail, "", kind, "MIME-Version: 1.0", body=parts)

    [written] = await post.rows("select text, by, state, once from case_messages")
    assert (written["text"], written["by"], written["state"]) == (
        "Dear Anna,\n\nA new one comes.", "eva", "waiting",
    )  # fmt: skip
    files = await post.rows("select name, content from case_message_files")
    assert [(row["name"], row["content"].strip()) for row in files] == [("label.txt", b"LABEL")]
    notes = await post.rows("select 1 from case_events where did = 'noted'")
    assert (len(notes), heard.new, heard.reason) == (1, False, "again")


async def test_who_leads_is_asked_for_approval_and_gives_it_by_mail(post: StaffPost) -> None:
    mail = await post.given()
    await post.reply(mail, "#decide refund amount=80\n#ask They stay each year\n")
    await post.rounds()

    asked = post.relay.taken[-1]
    assert asked["To"] == BOB
    assert "eva asks for approval of refund amount=80: They stay each year" in asked.get_content()
    assert len(post.relay.taken) == 2  # nobody without an address, and not who asked
    await post.reply(asked, "#approve", sender=BOB, number=2)
    assert ((await post.case()).decision, (await post.case()).decided_by) == ("refund", "eva")


async def test_what_is_refused_is_answered_with_the_way_to_ask(post: StaffPost) -> None:
    mail = await post.given()

    await post.reply(mail, "#decide refund amount=80\n\nDear Anna, you get 80.")
    assert await post.rows("select 1 from case_messages") == []
    await post.rounds()
    answer = post.relay.taken[-1]
    text = answer.get_content()
    assert "80 is more than the 50.0 you may grant" in text
    assert "#ask and why it should be granted" in text
    assert "was not sent to the customer" in text
    assert answer["Message-ID"] != mail["Message-ID"]

    await post.reply(mail, "#decied refund amount=20\nDear Anna", number=2)
    await post.desk.hand_over(CASE, "bob", to="jan", note="back")
    await post.reply(mail, "#let-go", number=3)
    await post.desk.decide(CASE, "explained", {}, by="jan")
    await post.reply(mail, "#decide refund amount=20", number=4)
    await post.reply(mail, "#approve", number=5)
    told = await post.answers()
    assert "Nothing was done" in told[1]
    assert "jan has claimed this case" in told[2]
    assert "jan has decided: explained" in told[3]
    assert "who leads says yes or no" in told[4]
    assert await post.rows("select 1 from case_messages") == []


def tampered(address: str, at: int) -> str:
    return address[:at] + ("a" if address[at] != "a" else "b") + address[at + 1 :]


async def test_whoever_it_is_not_does_nothing_and_is_answered_nothing(post: StaffPost) -> None:
    mail = await post.given()
    mine = str(mail["Reply-To"])
    jans = StaffAddresses(DOMAIN, SECRET).address(staff_mail_key(0, 7, "event/1", "jan"))
    customers = StaffAddresses(DOMAIN, b"another secret of 32 characters!!")
    foreign = customers.address(staff_mail_key(0, 7, "event/1", "eva"))
    order = "#decide explained"
    tries: list[dict[str, Any]] = [
        {"sender": "mallory@evil.example"},
        {"sender": JAN},
        {"sender": f'"{EVA}" <mallory@evil.example>'},
        {"address": jans},
        {"address": foreign},
        {"address": f"staff@{DOMAIN}"},
        {"address": f"staff+@{DOMAIN}"},
        *({"address": tampered(mine, at)} for at in (6, 8, 10, 18, 25)),
    ]
    for number, each in enumerate(tries, 1):
        heard = await post.reply(mail, order, number=number, **each)
        assert (heard.new, heard.told, heard.reason) == (False, False, "not_of_staff"), each

    await MemberStore(post.pool).leave("eva", by="test")
    assert (await post.reply(mail, order, number=90)).reason == "not_of_staff"
    assert (await post.case()).state == "claimed"
    assert await post.answers() == []
    assert await post.rows("select 1 from inbound_messages") == []


async def test_robots_and_bounces_are_never_obeyed_and_never_answered(post: StaffPost) -> None:
    mail = await post.given()
    for number, header in enumerate(
        ("Auto-Submitted: auto-replied", "Precedence: bulk", "X-Autoreply: yes", "Return-Path: <>")
    ):
        heard = await post.reply(mail, "#decide explained", header, number=number)
        assert (heard.new, heard.kind) == (False, "automatic"), header
    report = (
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.shop.example\r\n\r\n"
        "Final-Recipient: rfc822; eva@shop.example\r\nAction: failed\r\nStatus: 5.1.1\r\n--b--\r\n"
    )
    kind = 'Content-Type: multipart/report; report-type=delivery-status; boundary="b"'
    await post.reply(mail, "", kind, "MIME-Version: 1.0", body=report, number=50)

    assert ((await post.case()).state, await post.answers()) == ("claimed", [])
    assert await post.rows("select 1 from delivery_feedback") == []


async def test_two_robots_that_answer_each_other_end(post: StaffPost) -> None:
    mail = await post.given()
    for number in range(30):
        await post.reply(mail, "#nonsense", number=number)

    assert len(await post.answers()) == 20


async def test_a_letter_of_any_case_of_the_address_is_the_same_member(post: StaffPost) -> None:
    mail = await post.given()

    await post.reply(
        mail, "#let-go", sender="EVA@Shop.Example", address=str(mail["Reply-To"]).upper()
    )

    assert (await post.case()).state == "open"


async def test_a_mail_that_is_too_large_is_refused_before_it_is_read(post: StaffPost) -> None:
    mail = await post.given()

    with pytest.raises(SMTPException):
        await post.hand_in(b"x" * 27_000_000, EVA, str(mail["Reply-To"]))

    heard = await post.reply(mail, "#note x\n" + "Dear Anna " * 5_000 + "\n" + "word\n" * 40_000)
    assert heard.new
    [told] = await post.answers()
    assert "50000 characters at most" in told
    assert await post.rows("select 1 from case_messages") == []


async def test_a_mail_goes_once_for_each_event_and_waits_while_the_relay_is_away(
    post: StaffPost,
) -> None:
    post.relay.scripts[EVA.lower()] = [Busy(words="451 later"), Busy(words="451 later")]
    await post.desk.hand_over(CASE, "bob", to="eva", note="n")
    for _ in range(2):
        await post.rounds(2)
        assert post.relay.taken == []
    for _ in range(4):
        await post.rounds()

    assert len(post.relay.taken) == 1
    [row] = await post.rows("select state, attempts from staff_mails")
    assert (row["state"], row["attempts"]) == ("sent", 3)


async def test_a_mail_that_the_relay_may_have_goes_not_again(post: StaffPost) -> None:
    post.relay.scripts[EVA.lower()] = [StallAfterAccept()]
    await post.desk.hand_over(CASE, "bob", to="eva", note="n")
    for _ in range(3):
        await post.rounds()

    assert len(post.relay.taken) == 1
    assert [row["state"] for row in await post.rows("select state from staff_mails")] == ["unknown"]


async def test_a_worker_that_died_after_the_relay_said_yes_sends_nothing_twice(
    post: StaffPost,
) -> None:
    await post.given()
    await post.rows(
        "update staff_mails set state = 'leaving', held_to = clock_timestamp() - interval '1 s'"
    )

    for _ in range(3):
        await post.rounds()

    assert len(post.relay.taken) == 1
    assert [row["state"] for row in await post.rows("select state from staff_mails")] == ["unknown"]


async def test_an_address_that_is_refused_stops_nobody_elses_mail(post: StaffPost) -> None:
    post.relay.scripts[EVA.lower()] = [RefuseForGood(words="550 no such user")]
    await post.desk.hand_over(CASE, "bob", to="eva", note="n")
    await post.desk.hand_over(CASE, "bob", to="jan", note="n")
    await post.rounds()

    assert [mail["To"] for mail in post.relay.taken] == [JAN]


async def test_a_mail_that_was_half_obeyed_goes_on_where_it_stopped(post: StaffPost) -> None:
    mail = await post.given()
    await post.reply(mail, "#note first\n#note second")
    await post.rows("update staff_replies set done = 1")  # the process died after the first

    await post.reply(mail, "#note first\n#note second")

    notes = await post.rows("select why from case_events where did = 'noted' order by event")
    assert [row["why"] for row in notes] == ["first", "second", "second"]


def test_an_address_holds_for_one_member_and_one_case() -> None:
    addresses = StaffAddresses(DOMAIN, SECRET)
    key = staff_mail_key(12, 3, "event/9", "eva: desk\n2")
    address = addresses.address(key) or ""
    read = addresses.read_staffs(address.upper())

    assert read is not None
    assert len(address.partition("@")[0]) <= 64
    assert addresses.holds(read, "eva: desk\n2")
    assert not addresses.holds(read, "eva")
    assert addresses.read(address) is None  # it is no customer's
    assert addresses.address("journey/flight/anna:7:1") is None


async def test_who_left_the_queue_does_nothing_by_an_old_mail(post: StaffPost) -> None:
    mail = await post.given()
    await post.desk.hand_over(CASE, "bob", queue="sales", note="theirs")

    await post.reply(mail, "#decide explained\n\nDear Anna")

    assert (await post.case()).state == "open"
    assert "not of your queues" in (await post.answers())[0]
    assert await post.rows("select 1 from case_messages") == []
