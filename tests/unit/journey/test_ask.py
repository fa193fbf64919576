"""A question to the customer: one invitation, one reminder, one answer that counts."""

from datetime import timedelta
from typing import Any

import pytest

from journey.effects import Deliver, OpenCase
from journey.happenings import DeliveryAnswer
from tests.unit.journey.story import NOON, Run, deferred, entered, on

THANKS = "{send: {message: thanks, purpose: service}}"


def asking(more: str = "", *steps: str, busy: tuple[type, ...] = (), **parts: str) -> Run:
    ask = (
        "ask: {survey: how-was-it, type: nps, as: nps, purpose: service, remind: 3d, until: 14d"
        f"{more}, late: [{{finish: silent}}]}}"
    )
    return entered(on(ask, *(steps or ("wait: 1d", "finish: answered")), **parts), busy=busy)


def test_the_invitation_names_its_survey_and_is_worth_nothing_when_it_is_too_late_to_answer() -> (
    None
):
    anna = asking()

    [invited] = anna.deliveries
    assert (invited.message, invited.expires) == ("how-was-it", NOON + timedelta(days=14))
    assert invited.asks is not None
    assert (invited.asks.survey, invited.asks.n) == ("how-was-it", invited.n)


def test_the_message_that_invites_may_have_a_name_of_its_own() -> None:
    assert asking(", message: please-tell-us").messages == ["please-tell-us"]


@pytest.mark.parametrize(
    ("score", "group"),
    [(0, "detractor"), (6, "detractor"), (7, "passive"), (8, "passive"), (9, "promoter")],
)
def test_a_score_picks_the_way_by_its_group(score: int, group: str) -> None:
    ways = [f"{name}: [{{finish: {name}}}]" for name in ("promoter", "passive", "detractor")]
    ask = "ask: {survey: q, type: nps, as: nps, purpose: service, until: 1d"
    anna = entered(on(f"{ask}, answers: {{{', '.join(ways)}}}, late: [{{finish: silent}}]}}"))

    anna.replies(score=score)

    assert anna.outcome == group


GROUPS = [
    ("csat", {"score": 5}, "satisfied"),
    ("csat", {"score": 3}, "neutral"),
    ("csat", {"score": 1}, "dissatisfied"),
    ("ces", {"score": 7}, "easy"),
    ("ces", {"score": 4}, "neutral"),
    ("ces", {"score": 3}, "hard"),
    ("choice", {"choice": "by-train"}, "by-train"),
    ("text", {"text": "Fine"}, "answered"),
]


@pytest.mark.parametrize(("kind", "said", "group"), GROUPS)
def test_each_kind_of_question_has_groups_of_its_own(
    kind: str, said: dict[str, Any], group: str
) -> None:
    ask = (
        f"ask: {{survey: q, type: {kind}, as: q, purpose: service, until: 1d, "
        f"answers: {{{group}: [{{finish: met}}]}}}}"
    )
    anna = entered(on(ask, "finish: other"))

    anna.replies(**said)

    assert (anna.outcome, anna.state.results["q"]) == (
        "met",
        {"score": None, "text": None, "choice": None, **said, "group": group},
    )


def test_the_answer_is_a_result_and_a_trait_of_the_customer() -> None:
    anna = asking("", "choose: [{when: nps.score > 8, do: [{finish: glad}]}]", "finish: other")

    anna.replies(score=9, text="Kind people")

    assert anna.outcome == "glad"
    assert anna.written_traits == [{"how_was_it": 9}]


def test_a_trait_with_a_name_of_its_own_is_known_to_conditions_at_once() -> None:
    steps = ("choose: [{when: customer.last_nps == 9, do: [{finish: known}]}]", "finish: unknown")
    anna = asking(", trait: last_nps", *steps)

    anna.replies(score=9)

    assert anna.written_traits == [{"last_nps": 9}]
    assert anna.outcome == "known"


def test_the_first_answer_counts() -> None:
    anna = asking()
    anna.replies(score=3)
    anna.replies(score=10)

    result = anna.state.results["nps"]
    assert isinstance(result, dict)
    assert result["score"] == 3
    assert anna.written_traits == [{"how_was_it": 3}]


@pytest.mark.parametrize("said", [{"score": 11}, {"score": "9"}, {"score": True}, {}, {"text": ""}])
def test_what_is_no_answer_of_this_kind_leaves_the_question_open(said: dict[str, Any]) -> None:
    anna = asking()

    anna.replies(**said)

    assert "nps" not in anna.state.results
    assert anna.waits_for[0].startswith("an answer to how-was-it")


def test_an_answer_to_an_earlier_question_is_not_one_to_this() -> None:
    again = "ask: {survey: b, type: nps, as: b, purpose: service, until: 9d}"
    anna = asking("", again, "finish: done")
    first = anna.deliveries[0]
    anna.replies(score=9)

    anna.replies(asked=first, score=2)

    assert "b" not in anna.state.results


def test_who_is_asked_in_two_runs_answers_each_by_itself() -> None:
    anna = asking()

    anna.does("Survey Answered", ask="journey/tale/anna:8:2", score=9)

    assert "nps" not in anna.state.results


def test_who_does_not_answer_is_reminded_once_and_may_answer_either_invitation() -> None:
    anna = asking()
    anna.after(days=13)
    assert anna.messages == ["how-was-it", "how-was-it"]

    anna.replies(asked=anna.deliveries[1], score=9)

    assert [each.asks.n for each in anna.deliveries if each.asks] == [anna.deliveries[0].n] * 2
    assert "nps" in anna.state.results


def test_who_answered_is_not_reminded() -> None:
    anna = asking()
    anna.replies(score=9)
    anna.after(days=14)

    assert anna.messages == ["how-was-it"]


def test_a_reminder_that_may_not_go_yet_goes_when_it_may() -> None:
    anna = asking(busy=(Deliver,))
    anna.answers(anna.deliveries[0])
    anna.after(days=3)
    anna.answers(anna.deliveries[1], deferred(anna.now + timedelta(hours=9)))

    anna.after(hours=8)
    assert len(anna.deliveries) == 2, "it is still night"

    anna.after(hours=1)
    assert len(anna.deliveries) == 3


def test_an_answer_makes_a_reminder_that_waits_for_the_morning_needless() -> None:
    anna = asking(busy=(Deliver,))
    anna.answers(anna.deliveries[0])
    anna.after(days=3)
    anna.answers(anna.deliveries[1], deferred(anna.now + timedelta(hours=9)))

    anna.replies(score=9)
    anna.after(hours=10)

    assert len(anna.deliveries) == 2
    assert anna.outcome is None


def test_who_does_not_answer_in_time_takes_late() -> None:
    anna = asking()
    anna.after(days=14)

    assert anna.outcome == "silent"


def test_who_cannot_be_asked_takes_late_at_once() -> None:
    anna = asking(busy=(Deliver,))

    anna.answers(anna.deliveries[0], DeliveryAnswer(state="refused", reason="no_consent"))

    assert anna.outcome == "silent"
    assert "not_sent: how-was-it not sent: no_consent" in anna.why


def test_an_invitation_that_fails_for_good_takes_late_and_says_why() -> None:
    anna = asking(busy=(Deliver,))

    anna.fails(anna.deliveries[0])

    assert anna.outcome == "silent"
    assert any(why.startswith("failed: how-was-it") for why in anna.why)


def test_an_invitation_that_must_wait_for_the_morning_is_sent_then() -> None:
    anna = asking(busy=(Deliver,))
    anna.answers(anna.deliveries[0], deferred(NOON + timedelta(hours=9)))
    anna.after(hours=9)
    anna.answers(anna.deliveries[1])

    anna.replies(score=9)

    assert len(anna.deliveries) == 2
    assert "nps" in anna.state.results


def test_an_answer_that_overtakes_the_answer_of_the_channel_is_not_lost() -> None:
    anna = asking(busy=(Deliver,))
    anna.replies(score=9)
    anna.answers(anna.deliveries[0])

    assert "nps" in anna.state.results


STARS = (
    ", answered_by: {on: Rated, when: event.properties.trip == 't1', "
    "score: event.properties.stars, text: event.properties.words}"
)


def test_a_touchpoint_may_answer_in_place_of_the_page() -> None:
    anna = asking(STARS)
    anna.does("Rated", trip="other", stars=1, words="")
    assert "nps" not in anna.state.results

    anna.does("Rated", trip="t1", stars=10, words="Quick")

    answer = {"score": 10, "text": "Quick", "choice": None, "group": "promoter"}
    assert anna.state.results["nps"] == answer


def test_a_touchpoint_without_the_answer_in_it_leaves_the_question_open() -> None:
    anna = asking(STARS)

    anna.does("Rated", trip="t1")

    assert "nps" not in anna.state.results
    assert any(why.startswith("condition_error") for why in anna.why)


def test_a_touchpoint_may_name_the_choice() -> None:
    ask = (
        "ask: {survey: q, type: choice, as: q, purpose: service, until: 1d, "
        "answered_by: {on: Chose, text: event.properties.way}, answers: {train: [{finish: train}]}}"
    )
    anna = entered(on(ask, "finish: other"))

    assert anna.does("Chose", way="train").outcome == "train"


def test_what_a_touchpoint_said_before_the_question_is_no_answer_to_it() -> None:
    ask = (
        "ask: {survey: q, type: nps, as: q, purpose: service, until: 1d, "
        "answered_by: {on: Rated, score: event.properties.stars}, late: [{finish: silent}]}"
    )
    anna = entered(on("wait: 1h", ask, "finish: answered"))
    anna.does("Rated", stars=9)

    anna.after(hours=2)

    assert anna.outcome is None


def test_when_it_is_too_late_moves_with_what_it_names() -> None:
    ask = "ask: {survey: q, type: nps, as: q, purpose: service, until: run.closes, late: [{finish: silent}]}"
    moved = "[{on: Moved, do: [{set: {run.closes: event.properties.to}}]}]"
    keep = "{closes: event.properties.closes}"
    journey = on(ask, "finish: answered", whenever=moved, keep=keep)
    anna = entered(journey, closes="2026-03-09T12:00:00Z")

    anna.does("Moved", to="2026-03-04T12:00:00Z")

    assert anna.wakes_at == NOON + timedelta(days=2)


def test_an_exit_calls_off_the_question() -> None:
    anna = asking(exit="[{on: Left, outcome: left}]").does("Left")

    assert (anna.outcome, anna.wakes_at) == ("left", None)
    anna.after(days=20)
    assert anna.messages == ["how-was-it"]


def test_a_detractor_is_called_by_staff_who_see_what_was_said() -> None:
    case = "{handoff: {queue: care, brief: '{{ nps.text }}', decisions: {called: {}}}}"
    anna = asking(f", answers: {{detractor: [{case}]}}", busy=(OpenCase,))

    anna.replies(score=2, text="Nobody came")

    said = anna.cases[0].values["nps"]
    assert isinstance(said, dict)
    assert said["text"] == "Nobody came"
