"""`set`: change what the run keeps, an item of `for_each`, or a trait of the customer."""

from collections.abc import Iterator
from typing import Any, ClassVar, cast

from pydantic import Field, JsonValue, model_validator

from journey import conditions
from journey.effects import SetTraits, Values
from journey.happenings import Answer
from journey.language import IDENTIFIER, Step, Value
from journey.state import Thread, Waiting
from journey.steps.for_each import ForEach
from journey.turn import Turn


class Set(Step):
    """Set values: `run.total: 'run.total + event.properties.price'`, `customer.vip: 'true'`, `leg.departs: …`.

    All are worked out from what holds before the step. Deadlines that name a value move with it.
    """

    kind: ClassVar[str] = "set"
    shorthand: ClassVar[str | None] = "values"

    values: dict[str, Value] = Field(min_length=1, max_length=50)
    """Target → value in CEL. `set: {run.a: …}` is short for `set: {values: {run.a: …}}`."""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, data: Any) -> Any:
        if isinstance(data, dict) and "values" not in data:
            return {"values": cast("dict[str, Any]", data)}
        return cast("object", data)

    def in_words(self) -> Iterator[str]:
        yield f"set {', '.join(self.values)}"
        for target, source in self.values.items():
            yield f"to {source}" if len(self.values) == 1 else f"{target} to {source}"

    def problems(self) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
        for target in self.values:
            root, _, name = target.partition(".")
            if not IDENTIFIER.match(root) or not IDENTIFIER.match(name):
                yield (
                    (target,),
                    f"{target!r} cannot be set",
                    "write run.NAME, customer.NAME or the item's ITEM.NAME",
                )
            elif root in ("event", "now"):
                yield (
                    (target,),
                    f"{root} is what happened; it cannot be set",
                    "set run.NAME instead",
                )

    def begin(self, turn: Turn, thread: Thread) -> None:
        names = turn.names(thread)
        traits: Values = {}
        for target, source in self.values.items():
            root, _, name = target.partition(".")
            try:
                value = turn.value(source, names)
            except conditions.ConditionError as error:
                turn.note(thread.at, "condition_error", f"{target} stays as it is: {error}")
                continue
            if root == "run":
                turn.state.values[name] = value
            elif root == "customer":
                traits[name] = value
            else:
                self._set_item(turn, thread, root, name, value)
            turn.note(thread.at, "set", f"{target} set")
        turn.changed = True
        if not traits:
            turn.proceed(thread)
            return
        turn.state.traits.update(
            {name: value for name, value in traits.items() if name in turn.program.traits}
        )
        n = turn.count()
        turn.wait(thread, Waiting("effect", turn.now, n=n))
        turn.ask(SetTraits(n=n, traits=traits), thread)

    def _set_item(self, turn: Turn, thread: Thread, root: str, name: str, value: JsonValue) -> None:
        item = thread.items.get(root)
        changed: JsonValue = {**item, name: value} if isinstance(item, dict) else {name: value}
        thread.items[root] = changed
        link = thread.links.get(root)
        source = turn.program.nodes[link[0]].step if link else None
        if link and not (isinstance(source, ForEach) and source.write_back(turn, link[1], changed)):
            del thread.links[root]

    def answered(self, turn: Turn, thread: Thread, n: int, answer: Answer) -> None:
        turn.proceed(thread)

    def failed(self, turn: Turn, thread: Thread, n: int, why: str) -> None:
        turn.fail(thread, n, "continue", why)

    def words(self, turn: Turn, thread: Thread) -> str:
        return "traits to be written"
