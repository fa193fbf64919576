"""A mail that leaves: its headers are ours alone, and a retry carries the same id."""

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.message_channel import ProviderRefusedError, RenderedMessage
from channels.mail import MailSender, build_mail, mail_address, message_id
from channels.unsubscribe_link import InvalidLinkError, UnsubscribeLinks, Unsubscription

SENDER = MailSender(address="care@air.example", name="Air Example", reply_to="desk@air.example")
LINKS = UnsubscribeLinks("https://journeys.example", b"s" * 32)
ANNA = Unsubscription(customer="c_anna", purpose="marketing", channel="email")
MESSAGE = RenderedMessage(
    key="journey/flight/c_anna:7:3",
    customer="c_anna",
    address="anna@example.com",
    purpose="service",
    subject="Gate B4",
    text="Your gate is B4.\n",
    at=datetime(2013, 2, 8, 17, 2, tzinfo=UTC),
)


def test_every_attempt_carries_the_same_message_id() -> None:
    first, second = build_mail(MESSAGE, SENDER, None), build_mail(MESSAGE, SENDER, None)

    assert first["Message-ID"] == second["Message-ID"] == message_id(MESSAGE.key, "air.example")
    assert first["Message-ID"] != message_id("journey/flight/c_anna:7:4", "air.example")


def test_marketing_can_be_ended_with_one_click() -> None:
    url = LINKS.url(ANNA)
    mail = build_mail(replace(MESSAGE, purpose="marketing"), SENDER, url)

    assert f"<{url}>" in mail["List-Unsubscribe"]
    assert "<mailto:desk@air.example?subject=unsubscribe%20" in mail["List-Unsubscribe"]
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert url in mail.get_content()


def test_marketing_without_a_way_out_cannot_be_built() -> None:
    with pytest.raises(ValueError, match="unsubscribe"):
        build_mail(replace(MESSAGE, purpose="marketing"), SENDER, None)


def test_markup_keeps_its_text_beside_it_and_both_carry_the_link() -> None:
    message = replace(MESSAGE, purpose="marketing", html="<html><body><p>Hi</p></body></html>")

    mail = build_mail(message, SENDER, LINKS.url(ANNA))

    plain, html = mail.iter_parts()
    assert plain.get_content_type() == "text/plain"
    assert LINKS.url(ANNA) in plain.get_content()
    assert html.get_content().index("Unsubscribe</a>") < html.get_content().index("</body>")


def test_a_correction_stands_below_the_mail_that_it_corrects() -> None:
    mail = build_mail(replace(MESSAGE, corrects="journey/flight/c_anna:7:1"), SENDER, None)

    first = message_id("journey/flight/c_anna:7:1", "air.example")
    assert mail["In-Reply-To"] == mail["References"] == first


@pytest.mark.parametrize(
    ("provider_id", "named"),
    [
        ("<0102018d@eu-west-1.amazonses.com>", True),
        ("0102018d-from-an-api", False),
        ("<one@b>\r\nBcc: <two@b>", False),
        ("", False),
    ],
)
def test_a_correction_names_the_providers_own_id_where_that_is_of_a_mail(
    provider_id: str, named: bool
) -> None:
    key = "journey/flight/c_anna:7:1"
    mail = build_mail(replace(MESSAGE, corrects=key, corrects_id=provider_id), SENDER, None)

    answered = provider_id if named else message_id(key, "air.example")
    assert mail["In-Reply-To"] == mail["References"] == answered


@pytest.mark.parametrize(
    "address", ["no-reply@air.example", "noreply@air.example", "do.not.reply@a.eu"]
)
def test_a_customer_can_always_answer(address: str) -> None:
    with pytest.raises(ValueError, match="able to answer"):
        MailSender(address=address)
    with pytest.raises(ValueError, match="able to answer"):
        MailSender(address="care@air.example", reply_to=address)


@pytest.mark.parametrize(
    "address",
    ["", "anna", "anna@", "@b.eu", "a b@c.eu", "a@b.eu\r\nBcc: x@y.eu", "a@b.eu, c@d.eu",
     "<a@b.eu>", "a@-b.eu", "a@b..eu", ".a@b.eu", '"a b"@c.eu', "x" * 65 + "@b.eu",
     "a@[127.0.0.1]", "á@b.eu", "a@b.eu\x00"],
)  # fmt: skip
def test_what_is_no_address_is_refused_for_good(address: str) -> None:
    with pytest.raises(ProviderRefusedError) as caught:
        build_mail(replace(MESSAGE, address=address), SENDER, None)

    assert caught.value.reason == "unreachable"


def test_an_address_in_an_international_domain_goes_out_in_its_wire_form() -> None:
    assert mail_address("anna@příklad.example") == "anna@xn--pklad-zsa96e.example"


@given(st.text(max_size=80), st.text(max_size=200), st.text(max_size=40))
def test_no_text_becomes_a_header(subject: str, text: str, name: str) -> None:
    sender = replace(SENDER, name=name)
    wire = build_mail(replace(MESSAGE, subject=subject, text=text), sender, None).as_bytes()

    read = message_from_bytes(wire, policy=default)
    assert set(read.keys()) == {
        "From", "To", "Reply-To", "Subject", "Date", "Message-ID", "Auto-Submitted",
        "Content-Type", "Content-Transfer-Encoding", "MIME-Version",
    }  # fmt: skip
    assert read["To"].addresses[0].addr_spec == "anna@example.com"


@given(st.text(alphabet="abc_123", min_size=1), st.sampled_from(["email", "sms"]))
def test_a_link_says_again_what_was_put_into_it(customer: str, channel: str) -> None:
    wanted = Unsubscription(customer=customer, purpose="marketing", channel=channel)

    assert LINKS.read(LINKS.token(wanted)) == wanted


@given(st.integers(0, 200), st.characters(codec="utf-8"))
def test_a_link_that_was_changed_is_refused(place: int, letter: str) -> None:
    token = LINKS.token(ANNA)
    changed = token[: place % len(token)] + letter + token[place % len(token) + 1 :]

    if changed != token:
        with pytest.raises(InvalidLinkError):
            LINKS.read(changed)


@pytest.mark.parametrize("token", ["", "1", "1..", "..", "2.a.b", "x" * 3000, "1.é.é"])
def test_nonsense_is_no_link(token: str) -> None:
    with pytest.raises(InvalidLinkError):
        LINKS.read(token)


def test_another_installation_cannot_make_our_links() -> None:
    other = UnsubscribeLinks("https://journeys.example", b"t" * 32)

    with pytest.raises(InvalidLinkError):
        LINKS.read(other.token(ANNA))


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        UnsubscribeLinks("https://journeys.example", b"short")
