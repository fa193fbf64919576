"""By when a customer who asks for a person has an answer, as the house promises it."""

from datetime import UTC, datetime

import pytest

from workers.page_settings import PageSettings, answer_by

FRIDAY = datetime(2026, 11, 27, 15, 0, tzinfo=UTC)  # 16:00 in Prague


@pytest.mark.parametrize(
    ("promised", "until"),
    [
        (None, None),
        ("2h", datetime(2026, 11, 27, 17, 0, tzinfo=UTC)),
        ("2 business hours", datetime(2026, 11, 30, 9, 0, tzinfo=UTC)),
        ("1 business day", datetime(2026, 11, 30, 15, 0, tzinfo=UTC)),
    ],
)
def test_an_answer_is_promised_in_the_hours_of_the_queue(
    promised: str | None, until: datetime | None
) -> None:
    settings = PageSettings(person_answer=promised, page_zone="Europe/Prague")

    assert answer_by(settings)(FRIDAY) == until


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"person_answer": "soon"}, "CLEW_PERSON_ANSWER"),
        ({"person_answer": "0 business hours"}, "2 business hours"),
        ({"page_zone": "Prague"}, "Europe/Prague"),
    ],
)
def test_a_promise_that_cannot_be_read_stops_the_process(wrong: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        PageSettings.model_validate(wrong)
