"""What a step does, what must come for each way on from it, and who enters, as a person would say it."""

from typing import Any

import pytest

from tests.unit.insight.drawn import drawn

A_SEND = {"send": {"message": "hello", "purpose": "service"}}
WORDS: list[tuple[Any, list[str]]] = [
    (
        {"send": {"message": "offer", "via": ["push", "email"], "purpose": "service", "good_for": "12h"}},
        ["send offer by push or email", "good for 12h"],
    ),
    ({"wait": {"any": [{"on": "Paid"}], "until": "2d"}}, ["wait for Paid", "at most 2d"]),
    ({"wait": {"any": [{"on": "Paid"}], "forever": True}}, ["wait for Paid", "however long it takes"]),
    ({"wait": "4h"}, ["wait 4h"]),
    ({"wait": "next weekday 09:00"}, ["wait until next weekday 09:00"]),
    ({"wait": "now + 1h"}, ["wait until now + 1h"]),
    (
        {"wait": {"all": [{"on": "A", "times": 2}, {"on": "B"}], "until": "1d", "since": "entry"}},
        ["wait for 2 × A and B", "at most 1d", "also what came since entry"],
    ),
    (
        {"handoff": {"queue": "sales", "brief": "Help", "first_answer": "30m", "decisions": {"ok": {}}}},
        ["hand over to sales", "first answer within 30m"],
    ),
    (
        {"promise": {"as": "soon", "text": "Soon", "by": "1d", "kept_by": {"on": "Came", "about": "run.key"}}},
        ["promise: Soon", "by 1d", "kept by Came about run.key"],
    ),
    ({"repeat": {"at_most": 3, "until": "true", "do": [A_SEND]}}, ["repeat, at most 3 times", "until true"]),
    (
        {"for_each": {"of": "[1]", "as": "bag", "at_most": 8, "do": [A_SEND]}},
        ["for each bag of [1]", "at most 8, side by side"],
    ),
    ({"set": {"run.told": True}}, ["set run.told", "to true"]),
    (
        {"ask": {"survey": "after", "type": "nps", "as": "said", "purpose": "service", "remind": "2d", "until": "7d"}},
        ["ask after by email", "nps, on a page of ours", "asked once more: 2d", "at most 7d"],
    ),
    (
        {"offer": {"coupon": "ten-off", "amount": "10.0", "expires": "30d", "redeemed_by": {"on": "Paid"}}},
        ["give the coupon ten-off", "worth 10.0", "good for 30d", "redeemed by Paid"],
    ),
    (
        {"call": {"url": "https://stock.example.com/x", "as": "stock", "take": {"left": "response.body.left"}}},
        ["call stock.example.com", "POST https://stock.example.com/x", "takes left"],
    ),
    ({"call": {"activity": "look_up", "queue": "ours"}}, ["call look_up"]),
    (
        {"show": {"at": ["web", "till"], "say": "Hello", "while": "true", "until": "2d"}},
        ["show at web, till", "Hello", "while true", "for 2d"],
    ),
    ({"run": {"journey": "other", "wait": False}}, ["run the journey other", "goes on at once"]),
    ({"run": {"journey": "other", "until": "3d"}}, ["run the journey other", "waits for its outcome, at most 3d"]),
]  # fmt: skip


@pytest.mark.parametrize(("step", "words"), WORDS, ids=[words[0] for _, words in WORDS])
def test_a_step_is_told_in_words(step: Any, words: list[str]) -> None:
    graph = drawn(step)

    assert list(graph.nodes[graph.stages["only"].steps[0]].words) == words


def ways(step: Any) -> list[str]:
    graph = drawn(step)
    return [way.words for way in graph.nodes[graph.stages["only"].steps[0]].ways]


ARMS = [{"arm": "a", "weight": 3, "do": [A_SEND]}, {"arm": "b", "hold_out": True}]
WAYS: list[tuple[Any, list[str]]] = [
    (
        {"wait": {"any": [{"on": "Paid", "when": "true", "do": [A_SEND]}, {"on": "Left"}], "until": "2d",
                  "late": [A_SEND]}},
        ["Paid, when true", "Left", "late"],
    ),
    ({"choose": [{"when": "true", "do": [A_SEND]}]}, ["true", "otherwise"]),
    ({"choose": [{"when": "true", "do": [A_SEND]}, {"otherwise": [A_SEND]}]}, ["true", "otherwise"]),
    ({"split": {"name": "tried", "arms": ARMS}}, ["a, 75 %", "b, 25 %, nothing is sent"]),
    (
        {"handoff": {"queue": "q", "brief": "b", "resolve": "2d",
                     "decisions": {"no": {"do": [A_SEND]}, "yes": {"title": "Do it"}}}},
        ["no", "yes: Do it or not decided within 2d"],
    ),
    ({"repeat": {"at_most": 2, "do": [A_SEND]}}, ["each time", "no further round"]),
    ({"promise": {"as": "p", "text": "t", "by": "1d", "kept_by": {"on": "A"}}}, [""]),
    (
        {"parallel": {"join": "first", "arms": [{"arm": "a", "do": [A_SEND]}, {"arm": "b", "do": [A_SEND]}]}},
        ["a", "b", "the first is done"],
    ),
    ({"send": {"message": "m", "purpose": "service", "on_failure": [A_SEND]}}, ["cannot be sent", ""]),
    (
        {"ask": {"survey": "s", "type": "nps", "as": "said", "purpose": "service", "until": "7d",
                 "answers": {"promoter": [A_SEND]}, "late": [A_SEND]}},
        ["promoter", "no answer", "any other answer"],
    ),
    (
        {"offer": {"coupon": "c", "expires": "1d", "redeemed_by": {"on": "Paid"}, "refused": [A_SEND],
                   "on_failure": [A_SEND]}},
        ["none for them", "cannot be given", "given"],
    ),
    ({"offer": {"coupon": "c", "expires": "1d", "redeemed_by": {"on": "Paid"}}}, [""]),
    ({"call": {"url": "https://a.example/", "on_failure": [A_SEND]}}, ["no answer", ""]),
    (
        {"run": {"journey": "other", "until": "3d", "outcomes": {"won": [A_SEND]}, "late": [A_SEND]}},
        ["won", "late", "any other outcome"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("step", "expected"), WAYS, ids=[next(iter(step)) for step, _ in WAYS])
def test_each_way_says_what_must_come_for_it(step: Any, expected: list[str]) -> None:
    assert ways(step) == expected


ENTRIES: list[tuple[dict[str, Any], list[str]]] = [
    (
        {"audience": "counts.orders >= 3", "counts": {"orders": {"on": "Paid", "within": "90d"}}, "existing": True},
        [
            "coming to be of the audience",
            "once it is true: counts.orders >= 3",
            "counts.orders: Paid within 90d",
            "also who is of it already",
            "once only",
        ],
    ),
    (
        {"date": "customer.renews_on", "offset": "-30d", "at": "09:00", "every": "year", "again": "always"},
        ["30d before customer.renews_on", "at 09:00", "every year", "again: always"],
    ),
    ({"date": "customer.birthday"}, ["on customer.birthday", "once only"]),
    (
        {"schedule": "FREQ=WEEKLY;BYDAY=MO;BYHOUR=9", "audience": "true", "cap": {"per_hour": 5000, "per_day": 9000}},
        [
            "by schedule",
            "FREQ=WEEKLY;BYDAY=MO;BYHOUR=9",
            "whom it is true of: true",
            "once only",
            "at most 5,000 an hour and at most 9,000 a day",
        ],
    ),
    ({"by": "request"}, ["by request", "once only"]),
]  # fmt: skip


@pytest.mark.parametrize(("enter", "words"), ENTRIES, ids=[words[0] for _, words in ENTRIES])
def test_every_way_to_enter_is_told(enter: dict[str, Any], words: list[str]) -> None:
    assert list(drawn(enter=enter).nodes["enter"].words) == words
