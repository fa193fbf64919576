"""Whether a message goes out: what the customer said, and what is still true, decides."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journey.delivery_policy import DeliveryFacts, Refuse, Send, decide
from journey.effects import Deliver

NOON = datetime(2013, 2, 8, 12, 0, tzinfo=UTC)
REACHABLE = DeliveryFacts(addresses={"email": "anna@example.com", "sms": "+420123456789"})
BOARDING = Deliver(n=1, message="boarding", purpose="service")


def refused(facts: DeliveryFacts, message: Deliver, now: datetime = NOON) -> Refuse:
    decision = decide(facts, message, now)
    assert isinstance(decision, Refuse)
    return decision


def test_a_message_goes_to_the_first_channel_that_reaches_the_customer() -> None:
    message = replace(BOARDING, via=("push", "sms", "email"))

    assert decide(REACHABLE, message, NOON) == Send(channel="sms", address="+420123456789")


@pytest.mark.parametrize(
    ("preferred", "channel"),
    [("sms", "sms"), ("email", "email"), ("push", "email"), ("pigeon", "email"), (None, "email")],
)
def test_a_customer_hears_by_the_channel_they_prefer_where_the_message_has_it_and_it_reaches_them(
    preferred: str | None, channel: str
) -> None:
    message = replace(BOARDING, via=("email", "push", "sms"))
    facts = replace(REACHABLE, names={"customer": {"preferred_channel": preferred}})

    assert decide(facts, message, NOON) == Send(
        channel=channel, address=REACHABLE.addresses[channel]
    )


def test_nobody_is_told_to_hurry_to_a_flight_that_left() -> None:
    message = replace(BOARDING, expires=NOON, expires_because="departed 12:00")

    assert isinstance(decide(REACHABLE, message, NOON - timedelta(seconds=1)), Send)
    assert refused(REACHABLE, message) == Refuse(reason="expired", words="departed 12:00")


def test_what_is_no_longer_true_is_not_said() -> None:
    message = replace(BOARDING, condition="customer.bag == 'on board'")
    on_board = replace(REACHABLE, names={"customer": {"bag": "on board"}})
    left_behind = replace(REACHABLE, names={"customer": {"bag": "left behind"}})

    assert isinstance(decide(on_board, message, NOON), Send)
    assert refused(left_behind, message).reason == "condition"


@pytest.mark.parametrize("condition", ["customer.never_heard_of", "customer.bag", "1 +", "nobody"])
def test_a_condition_that_cannot_be_answered_never_sends(condition: str) -> None:
    facts = replace(REACHABLE, names={"customer": {"bag": "on board"}})

    assert refused(facts, replace(BOARDING, condition=condition)).reason == "condition"


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (replace(REACHABLE, run_ended=True), "left"),
        (replace(REACHABLE, held_out=True), "held_out"),
        (replace(REACHABLE, replaced=True), "replaced"),
        (DeliveryFacts(addresses={}), "unreachable"),
        (replace(REACHABLE, suppressed={"email": "bounced"}), "suppressed"),
    ],
)
def test_every_refusal_names_its_reason(facts: DeliveryFacts, reason: str) -> None:
    refusal = refused(facts, BOARDING)

    assert refusal.reason == reason
    assert refusal.words


def test_marketing_needs_consent_and_service_does_not() -> None:
    marketing = replace(BOARDING, purpose="marketing")

    for facts in (
        replace(REACHABLE, consents={"email": False}),
        replace(REACHABLE, consent_withheld=True),
    ):
        assert refused(facts, marketing).reason == "no_consent"
        assert isinstance(decide(facts, BOARDING, NOON), Send)


def test_unsubscribing_from_one_channel_leaves_the_other_open() -> None:
    facts = replace(REACHABLE, consents={"email": False})
    message = replace(BOARDING, purpose="marketing", via=("email", "sms"))

    assert decide(facts, message, NOON) == Send(channel="sms", address="+420123456789")


def test_what_the_customer_said_is_the_reason_given_before_what_is_technically_so() -> None:
    facts = replace(REACHABLE, consents={"email": False})
    message = replace(BOARDING, purpose="marketing", via=("push", "email"))

    assert refused(facts, message).reason == "no_consent"


channels = st.sampled_from(["email", "sms", "push"])
any_facts = st.builds(
    DeliveryFacts,
    addresses=st.dictionaries(channels, st.text(min_size=1, max_size=5)),
    suppressed=st.dictionaries(channels, st.just("bounced")),
    consents=st.dictionaries(channels, st.booleans()),
    consent_withheld=st.booleans(),
    run_ended=st.booleans(),
    held_out=st.booleans(),
    replaced=st.booleans(),
)
any_message = st.builds(
    Deliver,
    n=st.integers(1, 9),
    message=st.just("m"),
    purpose=st.sampled_from(["service", "marketing"]),
    via=st.lists(channels, max_size=3).map(tuple),
    expires=st.none() | st.integers(-60, 60).map(lambda m: NOON + timedelta(minutes=m)),
    condition=st.sampled_from([None, "true", "false", "1 / 0 == 1"]),
)


@given(any_facts, any_message)
def test_nothing_is_sent_that_anything_forbids(facts: DeliveryFacts, message: Deliver) -> None:
    decision = decide(facts, message, NOON)

    assert decision == decide(facts, message, NOON)
    if isinstance(decision, Send):
        assert not any((facts.run_ended, facts.held_out, facts.replaced))
        assert message.expires is None or message.expires > NOON
        assert message.condition in {None, "true"}
        assert decision.channel in message.via
        assert decision.address == facts.addresses[decision.channel]
        assert decision.channel not in facts.suppressed
        if message.purpose == "marketing":
            assert not facts.consent_withheld
            assert facts.consents.get(decision.channel) is not False
    else:
        assert isinstance(decision, Refuse)
        assert decision.words


@given(any_facts, any_message)
def test_an_open_way_to_the_customer_is_always_found(
    facts: DeliveryFacts, message: Deliver
) -> None:
    message = replace(message, purpose="service", expires=None, condition=None)
    facts = replace(facts, run_ended=False, held_out=False, replaced=False)
    open_ways = [
        way for way in message.via if way in facts.addresses and way not in facts.suppressed
    ]

    decision = decide(facts, message, NOON)

    assert isinstance(decision, Send) == bool(open_ways)
    if isinstance(decision, Send):
        assert decision.channel == open_ways[0]
