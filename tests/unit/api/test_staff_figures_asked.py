"""What is asked of the figures of staff is taken as it is meant, or refused with what it should be."""

from datetime import UTC, datetime, timedelta

import pytest

from api.refusals import RefusedRequestError
from api.staff_figures import since_of
from api.told_object import queue_named

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_a_queue_is_named_as_queues_are() -> None:
    assert queue_named("second-line") == "second-line"
    assert queue_named(None) is None


@pytest.mark.parametrize("name", ["", "Sales", "a b", "\x00", "\x17\U000c6a14", "a" * 65])
def test_what_names_no_queue_is_refused(name: str) -> None:
    with pytest.raises(RefusedRequestError, match="expected the name of a queue") as refused:
        queue_named(name)
    assert refused.value.status == 400


def test_a_time_is_a_length_back_or_an_instant() -> None:
    assert since_of("2d", NOW) == NOW - timedelta(days=2)
    assert since_of("2026-03-01", NOW) == datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "soon", "401d", "9999999999y", "2026-03-03"])
def test_a_time_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(RefusedRequestError, match="since: expected"):
        since_of(text, NOW)
