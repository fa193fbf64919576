"""What is kept of a message is what the customer read, and opens nothing of theirs."""

from datetime import UTC, datetime

import pytest

from activities.message_channel import RenderedMessage
from activities.sent_words import MOST_CHARACTERS, sent_words

TOKEN = "eyJjIjoiY19hbm5hIn0.c2lnbmF0dXJl-_x"


def written(text: str, subject: str = "Your order") -> RenderedMessage:
    return RenderedMessage(
        key="journey/cart/c_anna:1:1",
        customer="c_anna",
        address="anna@shop.example",
        purpose="service",
        subject=subject,
        text=text,
        html=None,
        at=datetime(2026, 3, 2, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("read", "kept"),
    [
        (f"See https://shop.example/o#{TOKEN}.", "See https://shop.example/o#…"),
        (f"<https://shop.example/d#{TOKEN}> (all)", "<https://shop.example/d#…> (all)"),
        (f"[Here](http://localhost:8480/s#{TOKEN})", "[Here](http://localhost:8480/s#…)"),
        ("https://shop.example/help#opening", "https://shop.example/help#opening"),
        ("Gate #1234567890123456789", "Gate #1234567890123456789"),
    ],
)
def test_links_that_open_a_page_of_the_customers_are_shut(read: str, kept: str) -> None:
    assert sent_words(written(read)).text == kept
    assert sent_words(written("", subject=read)).subject == kept


def test_a_text_without_end_is_cut() -> None:
    assert len(sent_words(written("x" * 100_000)).text) == MOST_CHARACTERS
