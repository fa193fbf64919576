"""A journey that wrote to a customer can wait until they write back."""

from journey.message_events import REPLIED
from tests.unit.journey.story import entered, on

ASKS = (
    "send: {message: your-seat, via: [email], purpose: service}",
    "wait: {any: [{on: Message Replied, when: 'event.properties.message == \"your-seat\"',"
    " do: [{finish: answered}]}], until: 2d, late: [{finish: silent}]}",
)


def test_an_answer_to_what_was_asked_meets_the_wait() -> None:
    anna = entered(on(*ASKS))

    anna.does(REPLIED, message="another", text="Thanks", channel="email")
    assert anna.outcome is None
    anna.does(REPLIED, message="your-seat", text="By the window", channel="email")

    assert anna.outcome == "answered"


def test_who_says_nothing_is_left_in_peace() -> None:
    anna = entered(on(*ASKS))

    anna.after(days=3)

    assert anna.outcome == "silent"
