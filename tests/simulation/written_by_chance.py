"""Journeys that an author might write, drawn by one `Random`: every kind of step, every kind of entry.

Here and not by hypothesis, because a night has 100,000 of them; `st.randoms()` can still drive it, and shrink.
"""

import json
from collections.abc import Callable
from random import Random
from typing import Any, TypeVar

from journey.definition import Definition, canonical_json, version_of
from journey.document import Document, InvalidDocumentError
from journey.program import Program
from journey.publication import checked

T = TypeVar("T")
Json = dict[str, Any]
Steps = list[Json]

EVENTS = ("A", "B", "C", "Began")
ABOUT = "Thing Moved"
"""The touchpoint about a subject."""

STAGES = ("one", "two", "three")
MOMENTS = ("0h", "1h", "1d", "next 09:00", "next weekday 09:00", "run.due", "customer.due + 1d")
LASTING = ("1h", "1d", "5d", "run.due", "customer.due + 1d", "2 business hours")
CONDITIONS = (
    "run.n > 2",
    "run.n % 2 == 0",
    "customer.vip == true",
    "event.properties.n == 1",
    "event.properties.nothing == 1",
    "true",
    "run.key == null",
    "run.stage == 'two'",
)
SETS: tuple[Json, ...] = (
    {"run.n": "run.n + 1"},
    {"run.due": "event.properties.due"},
    {"customer.vip": "true", "run.n": "0"},
    {"run.list": "event.properties.list"},
    {"run.things": "run.things + ['t3']"},
)
WAYS = (["email"], ["sms", "email"], ["push", "sms", "email"], ["where_they_came", "email"])
LEAF = ("send", "set", "go", "finish", "show", "call")
INSIDE = (
    "wait", "wait", "count", "choose", "split", "handoff", "ask", "offer", "promise", "run",
    "repeat", "for_each", "parallel", "send", "set",
)  # fmt: skip
REFUSED_AT_MOST = 60


def published(random: Random, slug: str = "any") -> Program:
    """A journey that passed the gate; those that it refuses are drawn again.

    Raises: `RuntimeError` where it refuses very many: then what is drawn is no journey.
    """
    for _ in range(REFUSED_AT_MOST):
        drawn = Author(random).journey(slug)
        try:
            return checked(Document("any.json", json.loads(json.dumps(drawn))))[0]
        except InvalidDocumentError:
            continue
    raise RuntimeError(f"the gate refused {REFUSED_AT_MOST} journeys in a row")


def ungated(data: Json) -> Program:
    """A journey as it is, also where the gate would refuse it."""
    canonical = canonical_json(data)
    return Program(Definition.model_validate(data), version_of(canonical))


class Author:
    """Writes one journey."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._named = 0
        self._sends: list[str] = []

    # -- a whole journey

    def journey(self, slug: str) -> Json:
        """As its author would write it in JSON."""
        entry = self._entry()
        gone = "audience" in entry and "schedule" not in entry and self.coin()
        exits: Steps = self.of(
            [], [], [], [{"on": "C", "outcome": "left"}], [{"when": "run.n > 4", "outcome": "many"}],
            [{"on": "C", "when": "event.properties.n == 1", "outcome": "left"}, {"on": ABOUT, "when":
              "event.properties.n == 2", "outcome": "moved-away"}],
        )  # fmt: skip
        made: Json = {
            "language": 1,
            "journey": slug,
            "title": "Any",
            "owner": "chance",
            "enter": entry,
            "keep": {
                "n": "0",
                "due": "event.properties.due",
                "list": "[1, 2, 3]",
                "things": "['t1']",
            },
            "exit": [{"leaves_audience": True, "outcome": "gone"}] if gone else exits,
            "on_exit": self._last_steps(),
            "whenever": [self._reaction() for _ in range(self.number(0, 2))],
            "stages": [self._stage(name) for name in STAGES[: self.number(2, 3)]],
        }
        made["stages"][0]["steps"].insert(
            0,
            {"choose": [{"when": "false", "do": [{"go": made["stages"][-1]["stage"]}]}]
             + ([{"when": "false", "do": [{"go": "two"}]}] if len(made["stages"]) > 2 else [])},
        )  # fmt: skip
        if self.coin():
            made["listen"] = {"thing": "run.things"}
        if self.one_in(4):
            made["match"] = "event.properties.n != 2"
        if self.one_in(4):
            made["zone"] = "Pacific/Auckland"
        if self.one_in(3):
            made["goal"] = {"outcome": "end", "within": "3d"}
        return made | self.of(
            {}, {"while_running": {"hold": "marketing"}}, {"priority": 1}, {"priority": 100}
        )

    def _entry(self) -> Json:
        entry: Json = dict(
            self.of(
                {"on": "Began"},
                {"on": "Began"},
                {"by": "request"},
                {"audience": "counts.a >= 2", "counts": {"a": {"on": "A", "within": "9d"}}},
                {
                    "date": "customer.due", "offset": "-30d", "at": "09:00", "every": "year",
                },
                {"schedule": "FREQ=WEEKLY;BYDAY=MO", "audience": "customer.vip == true"},
            )
        )  # fmt: skip
        if entry == {"on": "Began"}:
            entry["again"] = self.of("never", "always", "always", "join", "after 7d")
            if self.one_in(3):
                entry["key"] = "event.properties.n"
        if self.one_in(4):
            entry["hold_out"] = "30%"
        return entry

    def _stage(self, name: str) -> Json:
        end: Json = {"finish": "end"} if name != "two" or self.coin() else {"finish": "good"}
        last: Json = {"wait": {"any": [{"on": "B"}], "until": self.of("1h", "20d")}}
        return {"stage": name, "steps": [*self._block(2), last, end]}

    def _reaction(self) -> Json:
        made: Json = self._touchpoint() if self.number(0, 2) else {"when": self.of(*CONDITIONS)}
        made["do"] = [self._step(1)]
        if self.coin():
            made["settle"] = "5m"
        made["mode"] = self.of("queue", "restart", "ignore-while-running")
        return made

    def _last_steps(self) -> Steps:
        goodbye = {"send": {"message": "bye", "purpose": "marketing"}}
        steps: Steps = [
            {"send": {"message": "bye", "purpose": "service"}},
            {"set": dict(SETS[0])},
            {"call": {"url": "https://a.example/bye", "as": "given"}},
            {"choose": [{"when": "run.n > 2", "do": [goodbye]}]},
            {"split": {"name": "parting", "arms": [{"arm": "one"}, {"arm": "two"}]}},
        ]
        return self._random.sample(steps, self.number(0, 3))

    # -- steps

    def _block(self, depth: int) -> Steps:
        fewest, most = {2: (1, 3), 1: (0, 2)}.get(depth, (0, 1))
        made: Steps = []
        for _ in range(self.number(fewest, most) if depth >= 0 else 0):
            made.append(self._step(depth))
            if "finish" in made[-1]:
                break
        return made

    def _some(self, depth: int) -> Steps:
        """A block that is not empty."""
        return self._block(depth) or [{"wait": "1h"}]

    def _step(self, depth: int) -> Json:
        kind = self.of(*INSIDE) if depth > 0 and self.number(0, 3) else self.of(*LEAF)
        if kind in ("go", "finish") and depth >= 2:
            kind = "send"
        return _WRITES[kind](self, depth - 1)

    def send(self, _: int) -> Json:
        self._named += 1
        made: Json = {
            "message": self.of("hello", "again"),
            "purpose": self.of("service", "marketing", "marketing"),
            "via": list(self.of(*WAYS)),
            "id": f"send-{self._named}",
        }
        optional: Json = {
            "good_for": "2h",
            "until": self.of(*MOMENTS),
            "while": self.of(*CONDITIONS),
            "topic": "news",
            "priority": self.of(1, 100),
            "unknown": self.of("send_again", "leave"),
            "as": "told",
            "on_failure": self.of("continue", "stop", [{"set": dict(SETS[0])}]),
        }
        made |= {name: said for name, said in optional.items() if self.one_in(4)}
        if self._sends and self.one_in(4):
            made["replaces"] = self._sends[-1]
        self._sends.append(made["id"])
        return {"send": made}

    def set(self, _: int) -> Json:
        return {"set": dict(self.of(*SETS))}

    def go(self, depth: int) -> Json:
        then = self._block(min(depth, 0))
        return {"go": {"stage": self.of("one", "two"), "at_most": self.number(1, 3), "then": then}}

    def finish(self, _: int) -> Json:
        return {"finish": self.of("good", "bad")}

    def show(self, _: int) -> Json:
        made: Json = {"at": ["web", "ivr"], "say": "{{ run.n }}"}
        if self.coin():
            made["until"] = self.of(*MOMENTS)
        if self.coin():
            made["while"] = self.of(*CONDITIONS)
        return {"show": made}

    def call(self, depth: int) -> Json:
        out: Json = {
            "url": "https://a.example/x", "body": {"n": "run.n"}, "take": {"n": "response.body.n"},
        }  # fmt: skip
        own: Json = {"activity": "own", "queue": "own", "with": {"due": "run.due"}}
        failing = self.of("continue", "stop", self._block(min(depth, 0)))
        return {"call": {**self.of(out, own), "as": "given", "on_failure": failing}}

    def wait(self, depth: int) -> Json:
        any_of: Steps = [
            {**self._touchpoint(), "do": self._block(depth)} for _ in range(self.number(0, 2))
        ]
        made: Json = {
            "any": any_of, "since": self.of("previous", "previous", "entry", "now"),
        }  # fmt: skip
        if any_of and self.one_in(6):
            return {"wait": made | {"forever": True}}
        return {"wait": made | {"until": self.of(*MOMENTS), "late": self._block(depth)}}

    def count(self, depth: int) -> Json:
        often: Json = {"times": self.number(2, 3)} | self.of({}, {"within": "1h"})
        made: Json = {"until": self.of(*MOMENTS), "late": self._block(depth)}
        if self.coin():
            return {"wait": made | {"all": [self._touchpoint(), self._touchpoint() | often]}}
        return {"wait": made | {"any": [self._touchpoint() | often | {"do": self._block(depth)}]}}

    def choose(self, depth: int) -> Json:
        cases: Steps = [{"when": self.of(*CONDITIONS), "do": self._block(depth)}]
        if self.coin():
            cases.append({"otherwise": self._block(depth)})
        return {"choose": cases}

    def split(self, depth: int) -> Json:
        arms: Steps = [
            {"arm": "one", "weight": 2, "do": self._block(depth)},
            {"arm": "two", "do": self._block(depth), "hold_out": self.one_in(5)},
        ]
        return {"split": {"name": "tried", "arms": arms}}

    def handoff(self, depth: int) -> Json:
        made: Json = {
            "queue": "help",
            "brief": "Help",
            "decisions": {"yes": {"do": self._block(depth)}, "no": {}},
            "on_failure": self.of("continue", "stop"),
        }
        if self.coin():
            made |= {"first_answer": "1h", "escalate_to": "leads"}
        if self.coin():
            made |= {"resolve": self.of("2h", "1 business day"), "late": self._block(depth)}
        if self.one_in(3):
            made["as"] = "help"
        return {"handoff": made}

    def ask(self, depth: int) -> Json:
        kind, groups = self.of(
            ("nps", ["promoter", "passive", "detractor"]),
            ("csat", ["satisfied", "dissatisfied"]),
            ("choice", ["by-train"]),
            ("text", ["answered"]),
        )
        made: Json = {
            "survey": "how",
            "type": kind,
            "as": "said",
            "purpose": self.of("service", "marketing"),
            "until": self.of(*LASTING[:5]),
            "answers": {group: self._block(depth) for group in groups},
            "late": self._block(depth),
        }
        if self.coin():
            made["remind"] = self.of(*MOMENTS)
        if self.coin():
            made["answered_by"] = self._touchpoint() | {"score": "event.properties.n"}
        return {"ask": made}

    def offer(self, depth: int) -> Json:
        made: Json = {
            "coupon": self.of("ten", "twenty"),
            "expires": self.of(*LASTING[:5]),
            "redeemed_by": self._touchpoint(),
            "refused": self._block(depth),
            "on_failure": self.of("continue", "stop"),
        }
        if self.coin():
            made |= {"as": "coupon", "again": "1d", "amount": self.of("run.n", "true")}
        return {"offer": made}

    def promise(self, depth: int) -> Json:
        made: Json = {
            "as": "soon",
            "text": "Soon",
            "by": self.of(*MOMENTS),
            "kept_by": self._touchpoint(),
            "late": self._block(depth),
        }
        if self.coin():
            made["while"] = self.of(*CONDITIONS)
        return {"promise": made}

    def run(self, depth: int) -> Json:
        begun: Json = {"journey": "other", "with": {"n": "run.n"}, "as": "other"}
        if self.one_in(4):
            return {"run": begun | {"wait": False}}
        ways: Json = {"good": self._block(depth), "not_admitted": []}
        waits: Json = {"until": self.of(*LASTING[:5]), "late": self._block(depth)}
        return {
            "run": begun | waits | {"outcomes": ways, "on_failure": self.of("continue", "stop")}
        }

    def repeat(self, depth: int) -> Json:
        made: Json = {"at_most": self.number(1, 3), "do": self._some(depth)}
        if self.coin():
            made |= {"as": "round", "until": "run.n > 2"}
        if self.coin():
            made["while"] = self.of(*CONDITIONS)
        return {"repeat": made}

    def for_each(self, depth: int) -> Json:
        items = self.of("run.list", "[1, 2]", "event.properties.list")
        do = self._block(depth) or [{"set": {"x.seen": "run.n"}}]
        return {"for_each": {"of": items, "as": "x", "at_most": 3, "do": do}}

    def parallel(self, depth: int) -> Json:
        arms: Steps = [{"arm": f"way-{n}", "do": self._some(depth)} for n in range(2)]
        return {"parallel": {"arms": arms, "join": self.of("all", "first")}}

    def _touchpoint(self) -> Json:
        if self.one_in(6):
            return {"on": ABOUT, "about": "'t1'"}
        made: Json = {"on": self.of(*EVENTS)}
        if self.one_in(3):
            made["when"] = self.of(*CONDITIONS)
        return made

    # -- chance

    def of(self, *values: T) -> T:
        return self._random.choice(values)

    def number(self, least: int, most: int) -> int:
        return self._random.randint(least, most)

    def coin(self) -> bool:
        return self._random.random() < 0.5

    def one_in(self, times: int) -> bool:
        return self._random.randrange(times) == 0


_WRITES: dict[str, Callable[[Author, int], Json]] = {
    name: getattr(Author, name) for name in dict.fromkeys((*LEAF, *INSIDE))
}
