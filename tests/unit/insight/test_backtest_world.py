"""Rules for staff are read with what is wrong named."""

from datetime import timedelta

import pytest

from insight.backtest_world import StaffRule, StaffRuleError, channels_of, read_staff_rules
from tests.unit.insight.recordings import TEA, journey


def test_rules_name_queues_and_how_their_cases_are_decided():
    rules = read_staff_rules(
        """
        support: {decision: helped, after: 4h, fields: {amount: 20}}
        "*": first
        """,
        "staff.yaml",
    )

    assert rules == {
        "support": StaffRule(decision="helped", after=timedelta(hours=4), fields={"amount": 20}),
        "*": StaffRule(decision="first"),
    }


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("[helped]", "expected queues"),
        ("support: {after: 2h}", "support: decision is missing"),
        ("support: {decision: helped, afterwards: 2h}", "support: afterwards means nothing here"),
        ("support: {decision: helped, after: soon}", "support: after: 'soon' is not a length"),
        ("support: {decision: helped, fields: 5}", "support: fields: expected names and values"),
    ],
)
def test_a_rule_that_cannot_be_followed_names_the_queue_and_the_remedy(source: str, said: str):
    with pytest.raises(StaffRuleError, match=said):
        read_staff_rules(source, "staff.yaml")


def test_customers_are_reached_on_every_channel_that_the_journey_uses():
    tea = journey(TEA.replace("purpose: marketing", "purpose: marketing, via: [push, sms]"))

    assert channels_of(tea.program) == {"push", "sms"}
