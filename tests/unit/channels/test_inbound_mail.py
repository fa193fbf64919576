"""What customers' mail programs make of an answer, and what we read in it."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from channels.inbound_mail import Envelope, MailReader, ReadMail
from channels.mail_parts import MailParts
from channels.reply_address import ReplyAddresses
from channels.unsubscribe_link import UnsubscribeLinks, Unsubscription
from contracts.inbound_message import MOST_FILE_BYTES, MOST_FILES, MOST_TEXT

SECRET = b"s" * 32
KEY = "journey/flight/c_anna:7:3"
REPLIES = ReplyAddresses("reply.air.example", SECRET)
LINKS = UnsubscribeLinks("https://journeys.example", SECRET)
READER = MailReader(REPLIES, LINKS)
AT = datetime(2026, 11, 23, 9, 20, tzinfo=UTC)
MAILS = Path(__file__).parents[2] / "integration" / "inbound" / "mails"
EVERY = sorted(MAILS.glob("*.eml"))

WORDS = {
    "gmail-english": "Can I still check in my bag?\n\nThanks,\nAnna",
    "gmail-german": "Mein Koffer fehlt! Bitte melden Sie sich.",
    "gmail-czech": "Děkuji, přijdu včas.",
    "gmail-french": "Merci, c'est très gentil.",
    "gmail-spanish": "¿Puedo cambiar el asiento?",
    "outlook-english": "I am at the gate and nobody is here.\n\nPeter Marsh\nMarsh & Sons Ltd.",
    "outlook-german": "Wo finde ich das Gepäckband?",
    "outlook-french-original": "Je suis en retard.",
    "outlook-html-only": "My seat is broken.\nRow 14, seat C.",
    "apple-english": "Here is a photo of it.",
    "apple-german": "Ich habe den Anschluss verpasst und weiß nicht, wo ich heute Nacht schlafen soll.",
    "apple-czech": "Pořád čekáme.",
    "seznam-czech": "Chci vrátit peníze.",
    "thunderbird-inline": "Yes, she is four.\n\nNo.",
    "yahoo-html": "Please call me.",
    "no-message-id": "When do you fly to Oslo?",
    "charset-that-lies": "Die Straße ist gesperrt.",
    "files-with-bad-names": "Here they are.",
}


def read(raw: bytes, *to: str, sender: str | None = None) -> ReadMail:
    return READER.read(raw, Envelope(at=AT, recipients=to, sender=sender))


def named(name: str) -> ReadMail:
    return read((MAILS / f"{name}.eml").read_bytes())


def mail(body: str, *headers: str, subject: str = "Re: Gate B4") -> bytes:
    head = [
        "From: anna@example.com",
        f"Subject: {subject}",
        "Message-ID: <m@example.com>",
        *headers,
    ]
    return "\r\n".join([*head, "", body]).encode()


@pytest.mark.parametrize("name", WORDS)
def test_what_the_customer_wrote_is_read_without_quote_and_signature(name: str) -> None:
    message = named(name).message

    assert message.kind == "reply"
    assert message.text == WORDS[name]


@pytest.mark.parametrize("wide", [False, True], ids=["LF", "CRLF"])
@pytest.mark.parametrize("name", WORDS)
def test_line_ends_make_no_difference(name: str, wide: bool) -> None:
    raw = (MAILS / f"{name}.eml").read_bytes()

    assert read(raw.replace(b"\n", b"\r\n") if wide else raw).message.text == WORDS[name]


def test_the_quote_is_kept_with_the_whole() -> None:
    assert "> your gate is B4." in named("gmail-english").message.whole
    assert "Dear Eva, your gate is B4." in named("outlook-html-only").message.whole


@pytest.mark.parametrize("name", [path.stem for path in EVERY if "out-of-office" in path.stem])
def test_an_absence_is_nobodys_answer(name: str) -> None:
    assert named(name).message.kind == "automatic"


@pytest.mark.parametrize(
    "header",
    [
        "Auto-Submitted: auto-replied",
        "Auto-Submitted: auto-generated; type=x",
        "Precedence: list",
        "X-Autorespond: yes",
        "List-Id: <all.example.com>",
        "Return-Path: <>",
    ],
)
def test_a_robot_says_that_it_is_one(header: str) -> None:
    assert read(mail("Thank you for your mail.", header)).message.kind == "automatic"


def test_who_says_that_they_are_no_robot_is_heard() -> None:
    assert read(mail("Hello", "Auto-Submitted: no")).message.kind == "reply"
    assert read(mail("Hello"), sender="anna@example.com").message.kind == "reply"
    assert read(mail("Hello"), sender="").message.kind == "automatic"


def test_a_mail_to_its_own_address_leads_to_its_delivery() -> None:
    address = REPLIES.address(KEY)
    assert address is not None

    assert read(mail("Hello"), address.upper()).message.delivery == (7, 3)
    assert read(mail("Hello", f"To: Air <{address}>")).message.delivery == (7, 3)
    assert read(mail("Hello"), address.replace("7-3", "7-4")).message.delivery is None


def test_the_ids_of_what_is_answered_are_read_the_nearest_first() -> None:
    raw = mail("Hi", "References: <a@x> <b@x>\r\n <c@x>", "In-Reply-To: <c@x>")

    assert read(raw).message.answers == ("<c@x>", "c", "<b@x>", "b", "<a@x>", "a")


def test_the_mail_of_a_one_click_button_names_its_customer() -> None:
    anna = Unsubscription(customer="c_anna", purpose="marketing", channel="email")
    subject = f"unsubscribe {LINKS.token(anna)}"

    told = read(mail("", subject=subject)).message
    forged = read(mail("", subject=subject[:-3] + "abc")).message

    assert (told.kind, told.customer) == ("stop", "c_anna")
    assert (forged.kind, forged.customer) == ("reply", None)


@pytest.mark.parametrize("name", ["unsubscribe-by-word", "unsubscribe-in-german"])
def test_who_writes_that_they_want_no_more_is_understood(name: str) -> None:
    assert named(name).message.kind == "stop"


def test_what_we_wrote_ourselves_unsubscribes_nobody() -> None:
    quoted = "When does it leave?\r\n\r\nOn Mon, 23 Nov 2026 Air wrote:\r\n> unsubscribe\r\n"

    assert read(mail(quoted, subject="Re: unsubscribe")).message.kind == "reply"


def test_a_bounce_says_of_which_mail_and_whether_for_good() -> None:
    (gone,) = named("bounce-postfix").reports
    (full,) = named("bounce-exchange-headers-only").reports
    (late,) = named("bounce-delayed").reports

    assert named("bounce-postfix").message.kind == "bounce"
    assert (
        gone.provider_ids
        == full.provider_ids
        == late.provider_ids
        == ("<0123@air.example>", "0123")
    )
    assert (gone.kind, gone.hard, gone.detail[:9]) == ("bounced", True, "5.1.1 550")
    assert (full.kind, full.hard) == ("bounced", False)
    assert (late.kind, late.hard, late.detail) == ("bounced", False, "4.4.1 421 timed out")


def test_a_bounce_that_comes_twice_is_one_report() -> None:
    assert (
        named("bounce-postfix").reports[0].event_id == named("bounce-postfix").reports[0].event_id
    )


def test_a_complaint_says_of_which_mail() -> None:
    (told,) = named("complaint-arf").reports

    assert (told.kind, told.provider_ids) == ("complained", ("<0123@air.example>", "0123"))


def test_files_get_names_that_harm_nobody_and_the_type_that_they_are() -> None:
    files = [(file.name, file.media_type) for file in named("files-with-bad-names").message.files]

    assert files == [
        ("passwd", "text/html"),
        ("gpj.exe X-Evil_ 1", "application/vnd.microsoft.portable-executable"),
        ("winmail.dat", "application/ms-tnef"),
        ("message.eml", "text/plain"),
    ]


def test_a_photo_comes_along() -> None:
    (photo,) = named("apple-english").message.files

    assert (photo.name, photo.media_type) == ("IMG 0042.png", "image/png")
    assert photo.content.startswith(b"\x89PNG")


def test_files_over_our_limits_are_named_and_not_kept() -> None:
    part = "--b\r\nContent-Type: application/pdf; name=a.pdf\r\n\r\n%PDF-1\r\n"
    body = "--b\r\n\r\nHello\r\n" + part * (MOST_FILES + 2) + "--b--"

    message = read(mail(body, "Content-Type: multipart/mixed; boundary=b")).message

    assert len(message.files) == MOST_FILES
    assert message.text == "Hello"
    assert message.whole.endswith("[Over our limits, and not kept: a.pdf, a.pdf]")


def test_no_file_and_not_all_together_are_larger_than_we_keep() -> None:
    parts = MailParts()
    for name, size in [
        ("one.bin", MOST_FILE_BYTES + 1),
        *[(f"{n}.bin", 9_000_000) for n in range(3)],
    ]:
        parts.add_file(name, "application/pdf", bytes(size))

    assert [file.name for file in parts.files] == ["0.bin", "1.bin"]
    assert parts.left_out == ["one.bin", "2.bin"]


NESTED = b"".join(
    b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(3_000)
)
INSIDE = b"Content-Type: message/rfc822\r\n\r\n" * 5_000
HTML = b"Content-Type: text/html\r\n\r\n"
BOMBS = {
    "parts in parts": NESTED,
    "mails in mails": INSIDE,
    "a hundred thousand parts": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\n\r\n" * 100_000,
    "a header without end": b"Content-Type: text/plain; a=\"" + b"x;" * 500_000,
    "a head without end": b"X: y\r\n" * 50_000,
    "an encoded subject": b"Subject: " + b"=?utf-8?q?x?= " * 100_000,
    "a thousand names": b"From: " + b"(" * 100_000 + b"\r\n\r\nx",
    "one endless line": b"From: a@b.c\r\n\r\n" + b"x" * 1_000_000,
    "quotes": b"From: a@b.c\r\n\r\n" + b"On x wrote:\r\n" * 20_000,
    "nearly a quote": b"From: a@b.c\r\n\r\nOn " + b"a b " * 100_000,
    "nested markup": HTML + b"<div><table><tr><td>" * 40_000,
    "one long cell, one tall": HTML + b"<table><tr><td>" + b"x" * 99_000 + b"<td>" + b"<br>" * 20_000,
    "references": b"References: " + b"<a@b> " * 100_000 + b"\r\n\r\nx",
    "nothing": b"",
    "only nul": b"\x00" * 1_000,
}  # fmt: skip


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_read_like_any_mail(name: str) -> None:
    message = read(BOMBS[name]).message

    assert len(message.text) <= MOST_TEXT
    assert len(message.files) <= MOST_FILES


@st.composite
def awkward(draw: st.DrawFn) -> bytes:
    """A mail of a real program with pieces changed, left out, doubled or moved."""
    raw = draw(st.sampled_from(EVERY)).read_bytes()
    for _ in range(draw(st.integers(1, 4))):
        at, behind = sorted(draw(st.tuples(*[st.integers(0, len(raw))] * 2)))
        piece = draw(
            st.one_of(
                st.binary(max_size=20),
                st.sampled_from([
                    b"", b"\r\n\r\n", b"=?utf-8?b?////?=", b"boundary=", b"\x00", b"\xff\xfe", b"%%%", b"--b1--",
                    b"Content-Type: message/rfc822\n\n", b"Content-Type: multipart/report; boundary=b1\n",
                    b"charset=utf-7", b"Content-Transfer-Encoding: x-uuencode\n", b"filename*0*=%ff%00; filename*9=x",
                    b"\xed\xa0\x80", b"\xe2\x80\xae", b"<!--", b"]]>",
                ]),
                st.just(raw[at:behind]),
            )
        )  # fmt: skip
        raw = raw[:at] + piece + raw[draw(st.sampled_from([at, behind])) :]
    return raw


@settings(max_examples=80)
@given(awkward())
@example(b"From: \xff\xff@\xff\nSubject: =?utf-8?q?=ED=A0=80?=\n\n\xed\xa0\x80")
def test_whatever_the_bytes_something_storable_is_read(raw: bytes) -> None:
    found = read(raw)

    message = found.message
    for text in (message.reply, message.address, message.subject, message.text, message.whole):
        assert b"\x00" not in text.encode()
    for file in message.files:
        assert re.fullmatch(r"[^/\\\x00-\x1f]{1,131}", file.name)
        assert file.name.encode()
    assert read(raw) == found
