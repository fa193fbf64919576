"""A customer is found by each channel where they are, and no longer where they are not."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from temporalio.exceptions import ApplicationError

from activities.message_channel import AddressGoneError, ProviderAnswer, RenderedMessage
from channels.recording import RecordingChannel
from contracts.message_delivery import MessageDelivered
from stores.database import jsonb
from stores.devices import DeviceStore
from tests.integration.delivery.conftest import ANNA, Desk

PHONE = "+420601123456"
KEYS = {"p256dh": "BCVx", "auth": "BTBZ"}


class LeavingChannel(RecordingChannel):
    """Addresses among `gone` are no more."""

    def __init__(self, name: str, gone: Sequence[str] = ()) -> None:
        super().__init__(name)
        self.gone = gone

    async def send(self, message: RenderedMessage) -> ProviderAnswer:
        if message.address in self.gone:
            raise AddressGoneError("it is no more")
        return await super().send(message)


async def reached(desk: Desk, *channels: RecordingChannel, n: int = 1) -> MessageDelivered:
    """What became of a message that may go by these, in this order; asked again as Temporal would."""
    by_name = {each.name: each for each in channels}
    worker = replace(desk.worker(), channels=by_name)
    order = desk.order(n, via=tuple(by_name))
    for _ in range(5):
        try:
            return await worker.deliver_message(order)
        except ApplicationError as error:
            if error.type != "AddressGone" or error.non_retryable:
                raise
    raise AssertionError("never told")


@pytest.mark.parametrize(
    ("channel", "traits", "address"),
    [
        ("email", {}, "anna@example.com"),
        ("email", {"email": "anna@work.example"}, "anna@work.example"),
        ("sms", {"phone": "+420 601 123 456"}, PHONE),
        ("whatsapp", {"phone": "+420 601 123 456"}, PHONE),
        ("whatsapp", {"phone": "+420 1", "whatsapp": "+420 (601) 123-456"}, PHONE),
        ("slack", {"slack": " U012AB3CD "}, "U012AB3CD"),
        ("webhook", {"webhook_url": "https://anna.example/hook"}, "https://anna.example/hook"),
        ("apprise", {"apprise_url": ["tgram://a/b", "discord://c/d"]}, "tgram://a/b discord://c/d"),
        ("inbox", {}, ANNA),
    ],
)
async def test_a_customer_is_reached_where_their_traits_and_names_say(
    desk: Desk, channel: str, traits: dict[str, str], address: str
) -> None:
    await desk.with_traits(**traits)
    way = RecordingChannel(channel)

    assert (await reached(desk, way)).state == "accepted"
    assert [taken.address for taken in way.taken] == [address]


async def test_who_has_no_address_is_unreachable_in_words(desk: Desk) -> None:
    await desk.with_traits(slack=7, webhook_url="", phone=None)

    for n, channel in enumerate(("sms", "whatsapp", "push", "webpush", "slack", "webhook")):
        told = await reached(desk, RecordingChannel(channel), n=n)
        assert (told.state, told.reason) == ("refused", "unreachable")
        assert told.words == f"no address for {channel}"


async def test_a_name_that_came_as_identity_is_enough_for_a_text_message(desk: Desk) -> None:
    await desk.rows("insert into identities values ('phone', %s, %s)", PHONE, ANNA)
    sms = RecordingChannel("sms")

    await reached(desk, sms)

    assert [taken.address for taken in sms.taken] == [PHONE]


async def test_the_device_used_last_is_written_to_with_its_keys(desk: Desk) -> None:
    devices = DeviceStore(desk.pool)
    await devices.seen(ANNA, "webpush", "https://push.example/old", keys={"auth": "x"})
    await devices.seen(ANNA, "webpush", "https://push.example/new", keys=KEYS)
    webpush = RecordingChannel("webpush")

    await reached(desk, webpush)

    assert [taken.address for taken in webpush.taken] == ["https://push.example/new"]
    assert webpush.taken[0].address_keys == KEYS


async def test_a_phone_that_lost_the_app_is_forgotten_and_the_other_one_rings(desk: Desk) -> None:
    devices = DeviceStore(desk.pool)
    await devices.seen(ANNA, "push", "tablet")
    await devices.seen(ANNA, "push", "phone")
    push = LeavingChannel("push", gone=["phone"])

    assert (await reached(desk, push)).state == "accepted"
    assert (await reached(desk, push, n=2)).state == "accepted"

    assert [taken.address for taken in push.taken] == ["tablet", "tablet"]
    gone = await desk.rows("select token, gone_at from devices where gone_at is not null")
    assert gone == [{"token": "phone", "gone_at": desk.wall}]
    assert (await desk.row(1))["attempts"] == 2


async def test_without_any_device_left_the_next_channel_takes_it(desk: Desk) -> None:
    await DeviceStore(desk.pool).seen(ANNA, "push", "phone")
    push, email = LeavingChannel("push", gone=["phone"]), RecordingChannel("email")

    told = await reached(desk, push, email)

    assert (told.state, told.channel) == ("accepted", "email")
    assert push.taken == []


async def test_a_webhook_that_wants_no_more_gets_no_more_until_there_is_another(desk: Desk) -> None:
    hook = "https://Anna.example/hook"
    await desk.with_traits(webhook_url=hook)
    webhook = LeavingChannel("webhook", gone=[hook])

    told = await reached(desk, webhook)
    await desk.with_traits(webhook_url="https://anna.example/new")
    again = await reached(desk, webhook, n=2)

    assert (told.state, told.reason, told.words) == ("refused", "suppressed", "webhook: gone")
    assert again.state == "accepted"


async def test_words_of_our_own_may_go_for_a_day_after_the_customer_wrote(desk: Desk) -> None:
    await desk.with_traits(phone=PHONE)
    await desk.rows(
        "insert into conversations values (%s, 'whatsapp', %s, %s)", ANNA, PHONE, desk.wall
    )
    whatsapp = RecordingChannel("whatsapp")

    desk.later(hours=23, minutes=59)
    await reached(desk, whatsapp)
    desk.later(minutes=1)
    await reached(desk, whatsapp, n=2)

    assert [taken.in_conversation for taken in whatsapp.taken] == [True, False]


async def test_a_correction_knows_what_it_corrects_at_the_same_provider(desk: Desk) -> None:
    await desk.with_traits(slack="U012AB3CD")
    slack, email = RecordingChannel("slack"), RecordingChannel("email")
    await reached(desk, slack)

    worker = replace(desk.worker(), channels={"slack": slack, "email": email})
    await worker.deliver_message(desk.order(2, via=("slack",), replaces=1))
    await worker.deliver_message(desk.order(3, via=("email",), replaces=1))

    first = (await desk.row(1))["provider_id"]
    assert (slack.taken[1].corrects, slack.taken[1].corrects_id) == (slack.taken[0].key, first)
    assert (email.taken[0].corrects, email.taken[0].corrects_id) == (slack.taken[0].key, None)


async def test_a_device_goes_with_whoever_uses_it_now(desk: Desk) -> None:
    await desk.rows("insert into customers (customer, traits) values ('c_ben', %s)", jsonb({}))
    devices = DeviceStore(desk.pool)
    await devices.seen(ANNA, "push", "shared", platform="ios")

    await devices.seen("c_ben", "push", "shared")

    assert not await devices.forget(ANNA, "push", "shared")
    rows = await desk.rows("select customer, platform from devices")
    assert rows == [{"customer": "c_ben", "platform": "ios"}]
    assert await devices.forget("c_ben", "push", "shared")
    assert (await reached(desk, RecordingChannel("push"))).reason == "unreachable"
