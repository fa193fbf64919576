"""Files that go along with a mail: whole, safely named, and an invitation that can be accepted."""

from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activities.message_channel import Attachment
from channels.mail import build_mail, file_name, media_type
from channels.mail_by_api import mail_parts
from tests.unit.channels.test_mail import MESSAGE, SENDER

ICS = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nSUMMARY:Žluťoučký kůň\r\nEND:VCALENDAR\r\n"
INVITATION = Attachment(
    name="gate.ics", media_type="text/calendar; charset=utf-8; method=request", content=ICS.encode()
)


def sent(*attachments: Attachment) -> EmailMessage:
    message = replace(MESSAGE, html="<p>Gate B4</p>", attachments=attachments)
    raw = build_mail(message, SENDER, None).as_bytes()
    assert raw.isascii()
    return message_from_bytes(raw, policy=default)


def test_a_mail_without_files_is_as_it_was() -> None:
    assert sent().get_content_type() == "multipart/alternative"


def test_an_invitation_is_an_alternative_and_a_file() -> None:
    mail = sent(INVITATION, Attachment(name="map.pdf", media_type="application/pdf", content=b"%"))

    (alternative, *files) = cast("list[EmailMessage]", list(mail.iter_parts()))
    kinds = [part.get_content_type() for part in alternative.iter_parts()]
    assert kinds == ["text/plain", "text/html", "text/calendar"]
    calendar = cast("EmailMessage", list(alternative.iter_parts())[2])
    assert calendar["Content-Type"].params == {"charset": "utf-8", "method": "REQUEST"}
    assert calendar.get_content().replace("\n", "\r\n").replace("\r\r", "\r") == ICS
    assert [file.get_filename() for file in files] == ["gate.ics", "map.pdf"]
    assert files[0].get_payload(decode=True) == ICS.encode()


def test_a_calendar_that_invites_to_nothing_is_a_file_alone() -> None:
    mail = sent(replace(INVITATION, media_type="text/calendar"))

    assert [part.get_content_type() for part in mail.walk()].count("text/calendar") == 1


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("application/pdf", ("application/pdf", None)),
        ("TEXT/Calendar; Method=CANCEL", ("text/calendar", "CANCEL")),
        ("text/calendar; method=RE QUEST", ("text/calendar", None)),
        ("text/html; method=REQUEST", ("text/html", None)),
        ("multipart/mixed", ("application/octet-stream", None)),
        ("message/rfc822", ("application/octet-stream", None)),
        ("", ("application/octet-stream", None)),
        ("pdf", ("application/octet-stream", None)),
        ("application/pdf\r\nBcc: all@example.com", ("application/octet-stream", None)),
    ],
)
def test_a_media_type_is_taken_as_it_is_or_as_plain_bytes(
    said: str, read: tuple[str, str | None]
) -> None:
    assert media_type(Attachment(name="a", media_type=said, content=b"")) == read


def test_a_name_leads_to_no_folder_and_to_no_other_header() -> None:
    assert file_name(Attachment(name="../../etc/passwd", media_type="a/b", content=b"")) == (
        ".._.._etc_passwd"
    )
    assert file_name(Attachment(name="\r\n", media_type="a/b", content=b"")) == "attachment"


@settings(max_examples=40)
@given(
    name=st.text(max_size=40),
    kind=st.text(max_size=40) | st.sampled_from(["text/calendar; method=REQUEST", "text/csv"]),
    content=st.binary(max_size=200),
)
def test_any_file_arrives_whole_and_changes_nothing_else(
    name: str, kind: str, content: bytes
) -> None:
    attachment = Attachment(name=name, media_type=kind, content=content)
    mail = sent(attachment)

    files = list(mail.iter_attachments())
    assert len(files) == 1
    assert files[0].get_payload(decode=True) == content
    assert mail["To"].addresses[0].addr_spec == MESSAGE.address
    assert set(mail.keys()) == set(sent().keys())
    message = replace(MESSAGE, attachments=(attachment,))
    assert mail_parts(message, SENDER, None).text.strip() == MESSAGE.text.strip()
