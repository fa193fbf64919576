"""What staff decide in one line of a mail or a ticket is read as the form of the inbox reads it."""

import pytest

from journey.decision_line import read_decision_line
from journey.decisions import UnknownDecisionError, WrongFieldError
from journey.effects import OfferedDecision

OFFERED = {
    "refund": OfferedDecision(
        fields={"amount": "number", "days": "integer", "agreed": "boolean", "why": "text"}
    ),
    "called": OfferedDecision(),
}


@pytest.mark.parametrize(
    ("line", "read"),
    [
        ("called", ("called", {})),
        ("refund amount=20,5 days=3 agreed=yes", ("refund", {"amount": 20.5, "days": 3, "agreed": True})),
        ('refund why="it came broken" amount=20', ("refund", {"why": "it came broken", "amount": 20})),
        ("refund why=didn't", ("refund", {"why": "didn't"})),
        ("  refund   amount=-1 ", ("refund", {"amount": -1})),
    ],
)  # fmt: skip
def test_a_line_is_a_decision_with_its_fields(line: str, read: tuple[str, object]) -> None:
    assert read_decision_line(line, OFFERED) == read


@pytest.mark.parametrize(
    ("line", "error", "says"),
    [
        ("", UnknownDecisionError, "refund, called"),
        ("pay amount=3", UnknownDecisionError, "none of what is on offer"),
        ("called amount=3", WrongFieldError, "takes no field"),
        ("refund twenty", WrongFieldError, "takes amount=…"),
        ("refund amount=much", WrongFieldError, "is no number"),
        ("refund days=2.5", WrongFieldError, "is no number"),
    ],
)  # fmt: skip
def test_a_line_that_is_none_says_what_would_be_one(
    line: str, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        read_decision_line(line, OFFERED)
