"""Journeys that an author might write, made by chance: every kind of step, nested, in any order.

All of them pass the gate: those that it refuses are left out, so a property is about published journeys.
"""

import json
from typing import Any

from hypothesis import strategies as st

from journey.document import InvalidDocumentError
from journey.program import Program
from journey.publication import read_definition

EVENTS = ("A", "B", "C", "Began")
STAGES = ("one", "two")
Steps = list[dict[str, Any]]

moments = st.sampled_from(
    ["0h", "1h", "1d", "next 09:00", "run.due", "run.due - 1h", "customer.due + 1d", "run.list"]
)
lasting = st.sampled_from(["1h", "1d", "5d", "run.due", "customer.due + 1d"])
conditions = st.sampled_from(
    [
        "run.n > 2",
        "run.n % 2 == 0",
        "customer.vip == true",
        "event.properties.n == 1",
        "event.properties.nothing == 1",
        "true",
        "run.key == null",
    ]
)
on_failure = st.sampled_from(["continue", "stop"])


def _touchpoint() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {"on": st.sampled_from(EVENTS)}, optional={"when": conditions, "about": st.just("run.key")}
    )


sends = st.fixed_dictionaries(
    {
        "message": st.sampled_from(["hello", "again"]),
        "purpose": st.sampled_from(["service", "marketing"]),
    },
    optional={
        "good_for": st.just("2h"),
        "until": moments,
        "while": conditions,
        "on_failure": on_failure,
    },
).map(lambda send: {"send": send})

entries: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {"on": "Began"},
        {"on": "Began", "again": "after 7d", "key": "event.properties.n"},
        {"by": "request"},
        {"audience": "counts.a >= 2", "counts": {"a": {"on": "A", "within": "9d"}}},
        {"date": "customer.due", "offset": "-30d", "at": "09:00", "every": "year"},
        {"schedule": "FREQ=WEEKLY;BYDAY=MO", "audience": "customer.vip == true"},
    ]
)
GONE = {"leaves_audience": True, "outcome": "gone"}

sets = st.sampled_from(
    [
        {"set": {"run.n": "run.n + 1"}},
        {"set": {"run.due": "event.properties.due"}},
        {"set": {"customer.vip": "true", "run.n": "0"}},
        {"set": {"run.list": "event.properties.list"}},
    ]
)


def _wait(draw: st.DrawFn, depth: int) -> dict[str, Any]:
    any_of = [
        {**draw(_touchpoint()), "do": draw(blocks(depth - 1))}
        for _ in range(draw(st.integers(0, 2)))
    ]
    since = draw(st.sampled_from(["previous", "previous", "entry", "now"]))
    if any_of and draw(st.integers(0, 5)) == 0:
        return {"wait": {"any": any_of, "forever": True, "since": since}}
    return {
        "wait": {
            "any": any_of,
            "until": draw(moments),
            "late": draw(blocks(depth - 1)),
            "since": since,
        }
    }


def _choose(draw: st.DrawFn, depth: int) -> dict[str, Any]:
    cases: Steps = [{"when": draw(conditions), "do": draw(blocks(depth - 1))}]
    if draw(st.booleans()):
        cases.append({"otherwise": draw(blocks(depth - 1))})
    return {"choose": cases}


def _handoff(draw: st.DrawFn, depth: int) -> dict[str, Any]:
    handoff: dict[str, Any] = {
        "queue": "help",
        "brief": "Help",
        "decisions": {"yes": {"do": draw(blocks(depth - 1))}, "no": {}},
        "on_failure": draw(on_failure),
    }
    if draw(st.booleans()):
        handoff |= {"first_answer": "1h", "escalate_to": "leads"}
    if draw(st.booleans()):
        handoff |= {
            "resolve": draw(st.sampled_from(["2h", "1 business day"])),
            "late": draw(blocks(depth - 1)),
        }
    return {"handoff": handoff}


def _promise(draw: st.DrawFn, depth: int) -> dict[str, Any]:
    made: dict[str, Any] = {
        "as": "soon",
        "text": "Soon",
        "by": draw(moments),
        "kept_by": draw(_touchpoint()),
        "late": draw(blocks(depth - 1)),
    }
    if draw(st.booleans()):
        made["while"] = draw(conditions)
    return {"promise": made}


def _for_each(draw: st.DrawFn, depth: int) -> dict[str, Any]:
    items = draw(st.sampled_from(["run.list", "[1, 2]", "event.properties.list"]))
    do: Steps = draw(blocks(depth - 1)) or [{"set": {"x.seen": "run.n"}}]
    return {"for_each": {"of": items, "as": "x", "at_most": 3, "do": do}}


def _split(draw: st.DrawFn, depth: int) -> dict[str, Any]:
    held_out = draw(st.integers(0, 4)) == 0
    arms: Steps = [
        {"arm": "one", "weight": 2, "do": draw(blocks(depth - 1))},
        {"arm": "two", "do": draw(blocks(depth - 1)), "hold_out": held_out},
    ]
    return {"split": {"name": "tried", "arms": arms}}


def _repeat(draw: st.DrawFn, depth: int) -> dict[str, Any]:
    do: Steps = draw(blocks(depth - 1)) or [{"wait": "1h"}]
    made: dict[str, Any] = {"at_most": draw(st.integers(1, 3)), "do": do}
    if draw(st.booleans()):
        made |= {"as": "round", "until": "run.n > 2"}
    if draw(st.booleans()):
        made["while"] = draw(conditions)
    return {"repeat": made}


def _parallel(draw: st.DrawFn, depth: int) -> dict[str, Any]:
    ways = [draw(blocks(depth - 1)) or [{"wait": "1h"}] for _ in range(2)]
    arms: Steps = [{"arm": f"way-{n}", "do": do} for n, do in enumerate(ways)]
    return {"parallel": {"arms": arms, "join": draw(st.sampled_from(["all", "first"]))}}


def _count(draw: st.DrawFn, depth: int) -> dict[str, Any]:
    often = {"times": draw(st.integers(2, 3))} | draw(st.sampled_from([{}, {"within": "1h"}]))
    wait: dict[str, Any] = {"until": draw(moments), "late": draw(blocks(depth - 1))}
    if draw(st.booleans()):
        wait["all"] = [draw(_touchpoint()), draw(_touchpoint()) | often]
    else:
        wait["any"] = [draw(_touchpoint()) | often | {"do": draw(blocks(depth - 1))}]
    return {"wait": wait}


def _ask(draw: st.DrawFn, depth: int) -> dict[str, Any]:
    kind, groups = draw(
        st.sampled_from(
            [
                ("nps", ["promoter", "passive", "detractor"]),
                ("csat", ["satisfied", "dissatisfied"]),
                ("choice", ["by-train"]),
                ("text", ["answered"]),
            ]
        )
    )
    asked: dict[str, Any] = {
        "survey": "how",
        "type": kind,
        "as": "said",
        "purpose": draw(st.sampled_from(["service", "marketing"])),
        "until": draw(lasting),
        "answers": {group: draw(blocks(depth - 1)) for group in groups},
        "late": draw(blocks(depth - 1)),
    }
    if draw(st.booleans()):
        asked["remind"] = draw(moments)
    if draw(st.booleans()):
        asked["answered_by"] = draw(_touchpoint()) | {"score": "event.properties.n"}
    return {"ask": asked}


def _offer(draw: st.DrawFn, depth: int) -> dict[str, Any]:
    made: dict[str, Any] = {
        "coupon": draw(st.sampled_from(["ten", "twenty"])),
        "expires": draw(lasting),
        "redeemed_by": draw(_touchpoint()),
        "refused": draw(blocks(depth - 1)),
        "on_failure": draw(on_failure),
    }
    if draw(st.booleans()):
        made |= {"as": "coupon", "again": "1d", "amount": draw(st.sampled_from(["run.n", "true"]))}
    return {"offer": made}


def _call(draw: st.DrawFn, depth: int) -> dict[str, Any]:
    out: dict[str, Any] = {
        "url": "https://a.example/x",
        "body": {"n": "run.n"},
        "take": {"n": "response.body.n"},
    }
    own: dict[str, Any] = {"activity": "own", "queue": "own", "with": {"due": "run.due"}}
    failing = draw(st.sampled_from(["continue", "stop", draw(blocks(depth - 1))]))
    return {"call": {**draw(st.sampled_from([out, own])), "as": "given", "on_failure": failing}}


def _show(draw: st.DrawFn, _depth: int) -> dict[str, Any]:
    shown: dict[str, Any] = {"at": ["web", "ivr"], "say": "{{ run.n }}"}
    if draw(st.booleans()):
        shown["until"] = draw(moments)
    if draw(st.booleans()):
        shown["while"] = draw(conditions)
    return {"show": shown}


def _run(draw: st.DrawFn, depth: int) -> dict[str, Any]:
    begun: dict[str, Any] = {"journey": "other", "with": {"n": "run.n"}, "as": "other"}
    if draw(st.integers(0, 3)) == 0:
        return {"run": begun | {"wait": False}}
    ways: dict[str, Any] = {"good": draw(blocks(depth - 1)), "not_admitted": draw(blocks(0))}
    waits: dict[str, Any] = {"until": draw(lasting), "late": draw(blocks(depth - 1))}
    return {"run": begun | waits | {"outcomes": ways, "on_failure": draw(on_failure)}}


_INNER = {
    "wait": _wait,
    "choose": _choose,
    "handoff": _handoff,
    "promise": _promise,
    "for_each": _for_each,
    "split": _split,
    "repeat": _repeat,
    "parallel": _parallel,
    "count": _count,
    "ask": _ask,
    "offer": _offer,
    "call": _call,
    "show": _show,
    "run": _run,
}


@st.composite
def steps(draw: st.DrawFn, depth: int) -> dict[str, Any]:
    """One step, with steps inside it down to `depth`."""
    kinds = ["send", "set", "go", "finish"] if depth < 2 else ["send", "set"]
    kind = draw(st.sampled_from([*kinds, *_INNER, "for_each", "promise"] if depth else kinds))
    match kind:
        case "send":
            return draw(sends)
        case "set":
            return draw(sets)
        case "go":
            go = {"stage": draw(st.sampled_from(STAGES)), "at_most": draw(st.integers(1, 3))}
            return {"go": {**go, "then": draw(blocks(0))}}
        case "finish":
            return {"finish": draw(st.sampled_from(["good", "bad"]))}
        case _:
            return _INNER[kind](draw, depth)


@st.composite
def blocks(draw: st.DrawFn, depth: int) -> Steps:
    """Steps one behind the other; nothing stands behind a finish."""
    made: Steps = []
    fewest, most = {2: (1, 3), 1: (0, 2)}.get(depth, (0, 1))
    for _ in range(draw(st.integers(fewest, most)) if depth >= 0 else 0):
        made.append(draw(steps(depth)))
        if "finish" in made[-1]:
            break
    return made


last_steps: st.SearchStrategy[Steps] = st.lists(
    st.one_of(
        st.just({"send": {"message": "bye", "purpose": "service"}}),
        sets,
        st.just({"call": {"url": "https://a.example/bye", "as": "given"}}),
        st.just(
            {
                "choose": [
                    {
                        "when": "run.n > 2",
                        "do": [{"send": {"message": "bye", "purpose": "marketing"}}],
                    }
                ]
            }
        ),
    ),
    max_size=3,
)


@st.composite
def journeys(draw: st.DrawFn) -> dict[str, Any]:
    """A whole journey, as its author would write it in JSON."""
    reactions = [
        {
            **draw(st.one_of(_touchpoint(), conditions.map(lambda when: {"when": when}))),
            "do": [draw(steps(1))],
        }
        for _ in range(draw(st.integers(0, 2)))
    ]
    for reaction in reactions:
        if draw(st.booleans()):
            reaction["settle"] = "5m"
        reaction["mode"] = draw(st.sampled_from(["queue", "restart", "ignore-while-running"]))
    exits = draw(
        st.sampled_from(
            [
                [],
                [{"on": "C", "outcome": "left"}],
                [{"when": "run.n > 4", "outcome": "many"}],
                [GONE],
            ]
        )
    )
    stages: list[dict[str, Any]] = [
        {
            "stage": name,
            "steps": [
                *draw(blocks(2)),
                {"wait": {"any": [{"on": "B"}], "until": "1h"}},
                {"finish": "end"},
            ],
        }
        for name in STAGES
    ]
    stages[0]["steps"].insert(0, {"choose": [{"when": "false", "do": [{"go": "two"}]}]})
    held: dict[str, Any] = {"while_running": {"hold": "marketing"}}
    return draw(st.sampled_from([{}, held, {"priority": 1}, {"priority": 100}])) | {
        "language": 1,
        "journey": "any",
        "title": "Any",
        "owner": "chance",
        "enter": draw(entries) if exits[:1] != [GONE] else {"audience": "customer.vip == true"},
        "keep": {"n": "0", "due": "event.properties.due", "list": "[1, 2, 3]"},
        "exit": exits,
        "on_exit": draw(last_steps),
        "whenever": reactions,
        "stages": stages,
    }


def published(journey: dict[str, Any]) -> Program | None:
    """The journey as it is run; None where the gate refuses it."""
    try:
        return read_definition(json.dumps(journey), "any.json").program
    except InvalidDocumentError:
        return None
