"""An address that leads an answer to its delivery, and that nobody else can make."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.mail import MailSender, build_mail
from channels.reply_address import ReplyAddresses
from tests.unit.channels.test_mail import ANNA, LINKS, MESSAGE

REPLIES = ReplyAddresses("Reply.Air.Example.", b"s" * 32)
NUMBERS = st.integers(0, 2**63 - 1)


@given(NUMBERS, NUMBERS)
def test_an_address_fits_and_survives_what_mail_systems_do_to_it(entry: int, n: int) -> None:
    address = REPLIES.address(f"journey/flight/c_anna:{entry}:{n}")

    assert address is not None
    assert len(address.partition("@")[0]) <= 64
    assert REPLIES.read(f" {address.upper()} ") == (entry, n)


@given(st.text(max_size=80))
def test_an_address_that_nobody_made_leads_nowhere(text: str) -> None:
    for address in (text, f"{text}@reply.air.example", f"reply+{text}@reply.air.example"):
        assert REPLIES.read(address) is None


def test_an_address_of_another_delivery_or_installation_leads_nowhere() -> None:
    address = REPLIES.address("x:7:3") or ""

    assert REPLIES.read(address.replace("7-3", "7-4")) is None
    assert ReplyAddresses("reply.air.example", b"t" * 32).read(address) is None
    assert REPLIES.read(address.replace("air.example", "evil.example")) is None
    assert REPLIES.address("send-test") is None


@pytest.mark.parametrize("domain", ["", "not a domain", "a..b", "-a.example", "x" * 300])
def test_what_is_no_domain_is_refused(domain: str) -> None:
    with pytest.raises(ValueError, match="not a domain"):
        ReplyAddresses(domain, b"s" * 32)


def test_a_mail_asks_to_be_answered_at_its_own_address() -> None:
    sender = MailSender(address="care@air.example", replies=REPLIES)
    own = REPLIES.address(MESSAGE.key)

    mail = build_mail(MESSAGE, sender, LINKS.url(ANNA))

    assert mail["Reply-To"] == own
    assert f"<mailto:{own}?subject=unsubscribe%20" in mail["List-Unsubscribe"]
    assert (sender.returns_to(MESSAGE.key), sender.returns_to("send-test")) == (
        own,
        "care@air.example",
    )
    assert MailSender(address="care@air.example").answers_to(MESSAGE.key) is None
