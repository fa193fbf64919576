"""The house's policy: consent, caps, quiet hours, and who gets the last place."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from journey.delivery_policy import Decision, Defer, DeliveryFacts, Refuse, Send, decide
from journey.document import InvalidDocumentError
from journey.effects import Deliver
from journey.house_policy import HousePolicy
from journey.policy_file import read_policy
from journey.preferences import Preferences
from journey.sending_caps import InLine, Place, Sent

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
NEWS = Deliver(n=1, message="news", purpose="marketing")
ADDRESSES = {"email": "anna@example.com", "sms": "+420601123456", "whatsapp": "+420601123456"}


def facts(policy: dict[str, Any] | None = None, **of: Any) -> DeliveryFacts:
    known = DeliveryFacts(addresses=ADDRESSES, place=Place(priority=0, asked_at=NOON, key="k"))
    if policy is not None:
        known = replace(known, policy=HousePolicy.model_validate(policy))
    return replace(known, **of)


def left(hours_ago: float, **of: Any) -> Sent:
    at = NOON - timedelta(hours=hours_ago)
    told: dict[str, Any] = {
        "purpose": "marketing",
        "channel": "email",
        "topic": None,
        "journey": "other",
    }
    return Sent(at=at, **(told | of))


def waits(hours: float, priority: int = 0, **of: Any) -> InLine:
    place = Place(priority=priority, asked_at=NOON - timedelta(hours=1), key="other")
    told: dict[str, Any] = {"channel": "email", "topic": None, "journey": "rival"}
    return InLine(place=place, until=NOON + timedelta(hours=hours), **(told | of))


def until(decision: Decision) -> datetime:
    assert isinstance(decision, Defer), decision
    return decision.until


@pytest.mark.parametrize(
    ("channel", "said", "goes"),
    [
        ("email", None, True),
        ("email", False, False),
        ("sms", None, False),
        ("sms", True, True),
        ("whatsapp", None, False),
    ],
)
def test_marketing_by_sms_needs_a_yes_and_by_mail_no_no(
    channel: str, said: bool | None, goes: bool
) -> None:
    consents = {} if said is None else {channel: said}

    decision = decide(facts({}, consents=consents), replace(NEWS, via=(channel,)), NOON)

    assert isinstance(decision, Send) == goes
    if isinstance(decision, Refuse):
        assert decision.reason == "no_consent"


def test_without_a_policy_marketing_goes_to_all_who_did_not_say_no() -> None:
    assert isinstance(decide(facts(), replace(NEWS, via=("sms",)), NOON), Send)


def test_service_passes_caps_and_hours_but_never_consent_that_it_needs() -> None:
    policy = {
        "consent": {"service": {"whatsapp": "opt_in"}},
        "caps": [{"at_most": 1, "within": "24h"}],
        "quiet_hours": [{"from": "10:00", "to": "14:00"}],
    }
    service = replace(NEWS, purpose="service", via=("whatsapp",))
    known = facts(policy, sent=(left(1),), consents={"whatsapp": True})

    assert isinstance(decide(known, service, NOON), Send)
    refused = decide(replace(known, consents={}), service, NOON)
    assert isinstance(refused, Refuse)
    assert refused.words == "the customer did not say yes to service by whatsapp"


def test_a_capped_message_goes_when_the_place_is_free_again_if_it_is_still_of_use() -> None:
    known = facts(
        {"caps": [{"at_most": 2, "within": "7d", "purpose": "marketing"}]},
        sent=(left(160), left(5), left(2, purpose="service")),
    )

    assert until(decide(known, NEWS, NOON)) == NOON + timedelta(hours=8)

    late = decide(known, replace(NEWS, expires=NOON + timedelta(hours=8)), NOON)
    assert late == Refuse(
        reason="capped",
        words="2 of 2 in 7d; free again at 2026-01-05 20:00 UTC; of no use from 2026-01-05 20:00 UTC on",
    )


@pytest.mark.parametrize(
    ("only", "of"),
    [
        ({"channel": "sms"}, {}),
        ({"topic": "offers"}, {"topic": "news"}),
        ({"journey": "winback"}, {}),
        ({"purpose": "marketing"}, {"purpose": "service"}),
    ],
)
def test_a_cap_counts_only_what_it_names(only: dict[str, str], of: dict[str, str]) -> None:
    policy = {"caps": [{"at_most": 1, "within": "24h", **only}]}

    assert isinstance(decide(facts(policy, sent=(left(1, **of),)), NEWS, NOON), Send)


def test_a_month_is_a_month_of_the_customers_calendar() -> None:
    sent = left(0, purpose="marketing")
    sent = replace(sent, at=datetime(2026, 1, 31, 12, 0, tzinfo=UTC))
    known = facts({"caps": [{"at_most": 1, "within": "1mo"}]}, sent=(sent,), zone="Europe/Prague")
    end = datetime(2026, 2, 28, 12, 0, tzinfo=UTC)

    assert until(decide(known, NEWS, end - timedelta(minutes=1))) == end
    assert isinstance(decide(known, NEWS, end), Send)


ONE_A_DAY = {"caps": [{"at_most": 1, "within": "24h"}]}


@pytest.mark.parametrize(
    ("rival", "own", "goes"),
    [
        (waits(3, priority=80), 10, False),
        (waits(3, priority=80), 90, True),
        (waits(3, priority=10), 10, False),
        (waits(30, priority=80), 10, True),
        (waits(3, priority=80, channel="sms"), 10, False),
        (waits(-2, priority=80), 10, True),
        (waits(3, priority=80, expires=NOON), 10, True),
    ],
    ids=["lower", "higher", "asked later", "no harm", "any channel", "never came", "too late"],
)
def test_the_last_place_is_for_the_higher_priority_that_waits_for_its_time(
    rival: InLine, own: int, goes: bool
) -> None:
    place = Place(priority=own, asked_at=NOON, key="k")

    decision = decide(facts(ONE_A_DAY, waiting=(rival,), place=place), NEWS, NOON)

    assert isinstance(decision, Send) == goes
    if not goes:
        assert until(decision) == rival.until + timedelta(minutes=1)
        assert isinstance(decision, Defer)
        assert "a message of rival goes first" in decision.words


def test_two_places_are_enough_for_two() -> None:
    policy = {"caps": [{"at_most": 2, "within": "24h"}]}

    assert isinstance(decide(facts(policy, waiting=(waits(3, priority=80),)), NEWS, NOON), Send)


@pytest.mark.parametrize(
    ("zone", "moment", "goes_at"),
    [
        ("Europe/Prague", "2026-03-28T20:30", "2026-03-29T06:00"),
        ("Europe/Prague", "2026-10-24T19:30", "2026-10-25T07:00"),
        ("America/New_York", "2026-01-06T02:00", "2026-01-06T13:00"),
        (None, "2026-01-06T07:59:59", "2026-01-06T08:00"),
    ],
    ids=["an hour shorter", "an hour longer", "their own clock", "the house's clock"],
)
def test_quiet_hours_are_on_the_customers_clock(
    zone: str | None, moment: str, goes_at: str
) -> None:
    policy = {"quiet_hours": [{"from": "21:00", "to": "08:00"}]}
    at, end = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (moment, goes_at))

    decision = decide(facts(policy, zone=zone), NEWS, at)

    assert until(decision) == end
    assert isinstance(decide(facts(policy, zone=zone), NEWS, end), Send)


def test_on_holidays_and_sundays_nothing_goes_all_day() -> None:
    rule = {"from": "00:00", "to": "24:00", "weekdays": ["sunday"], "holidays": "customer.country"}
    known = facts({"quiet_hours": [rule]}, zone="Europe/Prague")
    friday = datetime(2026, 4, 3, 9, 0, tzinfo=UTC)  # Good Friday

    assert isinstance(decide(known, NEWS, friday), Send)
    in_cz = replace(known, names={"customer": {"country": "CZ"}})
    assert until(decide(in_cz, NEWS, friday)) == datetime(2026, 4, 3, 22, 0, tzinfo=UTC)
    easter_eve = friday + timedelta(days=1, hours=14)  # then Sunday, then Easter Monday
    assert until(decide(in_cz, NEWS, easter_eve)) == datetime(2026, 4, 6, 22, 0, tzinfo=UTC)


def test_what_is_too_late_in_the_morning_is_refused_tonight_and_it_is_said_why() -> None:
    policy = {"quiet_hours": [{"from": "21:00", "to": "08:00"}]}
    night = NOON + timedelta(hours=10)

    refused = decide(facts(policy), replace(NEWS, expires=night + timedelta(hours=9)), night)

    assert isinstance(refused, Refuse)
    assert refused.reason == "quiet_until"


def test_the_customers_own_hours_and_pause_come_on_top() -> None:
    likes = Preferences(quiet_from=time(11, 0), quiet_to=time(15, 0))
    assert until(decide(facts(preferences=likes), NEWS, NOON)) == NOON + timedelta(hours=3)

    paused = Preferences(paused_until=NOON + timedelta(days=9))
    decision = decide(facts(preferences=paused), NEWS, NOON)
    assert until(decision) == NOON + timedelta(days=9)
    assert isinstance(
        decide(facts(preferences=paused), replace(NEWS, purpose="service"), NOON), Send
    )


@pytest.mark.parametrize(
    "likes",
    [Preferences(channels_off=frozenset({"email"})), Preferences(topics_off=frozenset({"x"}))],
)
def test_what_the_customer_wants_nothing_of_is_not_sent(likes: Preferences) -> None:
    refused = decide(facts(preferences=likes), replace(NEWS, topic="x"), NOON)

    assert isinstance(refused, Refuse)
    assert refused.reason == "no_consent"


def test_a_channel_that_must_wait_is_passed_over_for_one_that_need_not() -> None:
    policy = {"quiet_hours": [{"from": "10:00", "to": "14:00", "channels": ["email"]}]}
    known = facts(policy, consents={"sms": True})

    assert decide(known, replace(NEWS, via=("email", "sms")), NOON) == Send(
        channel="sms", address=ADDRESSES["sms"]
    )


@pytest.mark.parametrize(
    ("source", "place", "says"),
    [
        ("topics: [a, a]", "topics", "twice"),
        ("caps: [{at_most: 0, within: 1d}]", "caps[0].at_most", "greater"),
        ("caps: [{at_most: 1, within: 0h}]", "caps[0].within", "no time at all"),
        ("caps: [{at_most: 1, within: 1d, topic: x}]", "caps[0].topic", "no topic"),
        ("quiet_hours: [{from: '09:00', to: '09:00'}]", "quiet_hours[0].to", "begin and end"),
        ("quiet_hours: [{from: '00:00', to: '24:00'}]", "quiet_hours", "no minute"),
        ("rates: {email: fast}", "rates.email", "a rate such as"),
        ("zone: Prague", "zone", "not a time zone"),
        ("quiet_hours: [{from: '01:00', to: '02:00', holidays: XX}]", "quiet_hours[0]", "XX"),
        ("consent: {marketing: {email: yes}}", "consent.marketing.email", "opt_in"),
        ("cap: []", "cap", "not a word"),
    ],
)
def test_a_policy_that_cannot_be_meant_is_refused_with_its_place(
    source: str, place: str, says: str
) -> None:
    with pytest.raises(InvalidDocumentError) as caught:
        read_policy(source, "policy.yaml")

    [problem] = caught.value.problems
    assert str(problem).startswith("policy.yaml:1:")
    assert problem.path.startswith(place)
    assert says in problem.message
    assert problem.remedy
