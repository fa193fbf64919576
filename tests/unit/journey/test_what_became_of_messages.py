"""A journey can wait for what becomes of its messages: opened, clicked, bounced."""

from journey.message_events import MESSAGE_EVENTS, OPENED
from journey.touchpoint import RESERVED, is_ours
from tests.unit.journey.story import entered, on

SENT = "send: {message: reminder, via: [email], purpose: service}"
UNTIL_OPENED = (
    'wait: {any: [{on: Message Opened, when: \'event.properties.message == "reminder"'
    " && !event.properties.machine', do: [{finish: read}]}], until: 2d}"
)
BY_PHONE = "send: {message: call-us, via: [sms], purpose: service}"


def test_a_mail_that_a_person_opened_is_not_followed_by_a_text_message() -> None:
    anna = entered(on(SENT, UNTIL_OPENED, BY_PHONE, "finish: told-by-phone"))

    anna.does(OPENED, message="reminder", machine=False)

    assert anna.outcome == "read"


def test_a_mail_that_only_a_machine_opened_was_not_read() -> None:
    anna = entered(on(SENT, UNTIL_OPENED, BY_PHONE, "finish: told-by-phone"))

    anna.does(OPENED, message="reminder", machine=True)
    anna.does(OPENED, message="another", machine=False)
    assert anna.outcome is None

    anna.after(days=2)
    assert anna.outcome == "told-by-phone"
    assert [each.message for each in anna.deliveries] == ["reminder", "call-us"]


def test_what_becomes_of_messages_is_ours_to_say() -> None:
    assert all(is_ours(event) for event in MESSAGE_EVENTS)
    assert MESSAGE_EVENTS < RESERVED
