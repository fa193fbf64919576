"""The same steps again, as often as they are needed and never more often than was said."""

import pytest

from tests.unit.journey.story import entered, on

ASK = "{send: {message: ask, purpose: service}}"
WAIT = "{wait: {any: [{on: Answered, do: [{set: {run.answered: 'true'}}]}], until: 1d}}"


def test_a_reminder_goes_out_until_it_is_answered() -> None:
    repeat = f"repeat: {{at_most: 5, until: 'run.answered == true', do: [{ASK}, {WAIT}]}}"
    anna = entered(on(repeat, "finish: done", keep="{answered: 'false'}"))

    anna.after(days=2)
    assert (len(anna.messages), anna.outcome) == (3, None)
    anna.does("Answered")

    assert (len(anna.messages), anna.outcome) == (3, "done")
    assert "rounds: after 3 rounds: run.answered == true" in anna.why


def test_it_ends_after_as_many_rounds_as_were_said() -> None:
    anna = entered(on(f"repeat: {{at_most: 3, do: [{ASK}, {{wait: 1d}}]}}", "finish: done"))

    anna.after(days=10)

    assert (len(anna.messages), anna.outcome) == (3, "done")


def test_it_goes_on_only_while_a_condition_holds() -> None:
    repeat = f"repeat: {{at_most: 9, as: round, while: 'customer.calm == true', do: [{ASK}, {{wait: 1d}}]}}"
    anna = entered(on(repeat, "finish: done"), traits={"calm": True})

    anna.after(hours=30)
    anna.becomes(calm=False)
    anna.after(days=3)

    assert (len(anna.messages), anna.outcome) == (2, "done")


def test_a_message_may_name_the_round() -> None:
    repeat = f"repeat: {{at_most: 2, as: round, do: [{ASK}, {{wait: 1d}}]}}"
    anna = entered(on(repeat, "finish: done"))
    anna.after(days=5)

    assert [values["round"] for values in anna.message_values] == [1, 2]


def test_rounds_within_rounds_are_counted_by_themselves() -> None:
    inner = f"{{repeat: {{at_most: 2, do: [{ASK}, {{wait: 1h}}]}}}}"
    anna = entered(on(f"repeat: {{at_most: 3, do: [{inner}]}}", "finish: done"))

    anna.after(days=1)

    assert (len(anna.messages), anna.outcome) == (6, "done")


def test_going_back_to_the_stage_begins_the_rounds_anew() -> None:
    wait = "{wait: {any: [{on: Again, do: [{go: only}]}], until: 1d}}"
    anna = entered(on(f"repeat: {{at_most: 2, do: [{ASK}, {wait}]}}", "finish: done"))

    anna.after(hours=1)
    anna.does("Again")
    anna.after(days=3)

    assert (len(anna.messages), anna.outcome) == (3, "done")


def test_without_a_bound_it_is_refused() -> None:
    with pytest.raises(ValueError, match="at_most is missing"):
        on(f"repeat: {{do: [{ASK}]}}", "finish: done")
