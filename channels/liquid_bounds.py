"""What keeps a template from eating the machine: every step of it is paid from one budget.

Liquid's own limits stop loops, output and nesting. They do not stop a filter that builds its
result in one go (`(1..50000000) | join` ran 80 s, chained `replace` made 94 MB), nor a large loop
body. Here each filter is weighed before and after its call, the few that multiply are weighed
before they build, and each loop pays for its body beforehand. No clock is looked at: the same
template over the same values is stopped at the same place on any machine.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import wraps
from typing import Any, TextIO

from liquid import BoundTemplate, RenderContext
from liquid.builtin.tags.for_tag import ForNode, ForTag
from liquid.exceptions import ResourceLimitError
from liquid.token import Token
from liquid.undefined import Undefined

MAX_VALUE = 200_000
"""Characters of one value, and of the whole output."""

MAX_LOOP = 2_000
"""Iterations of a loop, nested ones multiplied; items of a range."""

BUDGET = 4_000_000
"""What one rendering may spend: characters that filters handle, loop turns × characters of tags."""

_ITEM = 8
"""What one item of a list costs, compared with one character."""

_TURN = 5
"""What one loop turn over one character of tags costs: up to 1 µs, as `{{z}}` or `z or z` do."""

_BLOCK = 2_000
"""What putting in a block costs beside its own tags: 100 µs for a context of its own."""

_MAX_NUMBER = 10**15

_LIVE = re.compile(r"\{[{%].*?[%}]\}", re.DOTALL)


def tags(source: str) -> Iterator[re.Match[str]]:
    """The tags and outputs of a template, in order."""
    return _LIVE.finditer(source)


def live_length(source: str) -> int:
    """How many characters of a template are tags and outputs, not literal text."""
    return sum(len(found.group()) for found in tags(source))


def weigh(value: object, most: int = MAX_VALUE) -> int:
    """Its characters, and 8 for each item. Raises `ResourceLimitError` above `most`."""
    weight, heap = 0, [value]
    while heap:
        item = heap.pop()
        match item:
            case Undefined():
                weight += _ITEM
            case str():
                weight += len(item)
            case range():
                weight += _ITEM * len(item)
            case Mapping():
                weight += _ITEM
                heap.extend(item.keys())  # pyright: ignore[reportUnknownArgumentType]
                heap.extend(item.values())  # pyright: ignore[reportUnknownArgumentType]
            case list() | tuple():
                weight += _ITEM * len(item)  # pyright: ignore[reportUnknownArgumentType]
                if weight <= most:
                    heap.extend(item)  # pyright: ignore[reportUnknownArgumentType]
            case int() | float():
                weight += _ITEM
                if abs(item) > _MAX_NUMBER:
                    raise ResourceLimitError(
                        "a number is larger than a template may use", token=None
                    )
            case _:
                weight += _ITEM
        if weight > most:
            raise ResourceLimitError(f"a value is larger than {most:,} characters", token=None)
    return weight


def _replaced(value: str, sought: str, put: str) -> int:
    times = len(value) + 1 if not sought else value.count(sought)
    return len(value) + times * (len(put) - len(sought))


def _weigh_result(name: str, args: Sequence[object]) -> None:
    """Refuse before it is built what multiplies its input."""
    match name:
        case "replace" if len(args) >= 2:
            text = [str(value) for value in (*args, "")]
            size = _replaced(text[0], text[1], text[2])
        case "join" if isinstance(args[0], (list, tuple, range)):
            separator = str(args[1]) if len(args) > 1 else " "
            size = weigh(args[0]) + len(args[0]) * len(separator)  # pyright: ignore[reportUnknownArgumentType]
        case "split":
            text, separator = str(args[0]), str(args[1]) if len(args) > 1 else ""
            size = _ITEM * (1 + (text.count(separator) if separator else len(text)))
        case _:
            return
    if size > MAX_VALUE:
        raise ResourceLimitError(
            f"`{name}` would build more than {MAX_VALUE:,} characters", token=None
        )


class BoundedContext(RenderContext):
    """A rendering that pays for what it does."""

    __slots__ = ("_live", "_local_sizes", "purse")

    def __init__(self, template: BoundTemplate, **kwargs: Any) -> None:
        super().__init__(template, **kwargs)
        around = kwargs.get("parent_context")
        # A block pays from the budget of the message that it stands in.
        self.purse = around.purse if isinstance(around, BoundedContext) else [BUDGET]
        self._live = max(1, getattr(template, "live", 1))
        self._local_sizes: dict[str, int] = {}

    def spend(self, units: int) -> None:
        """Take from the budget. Raises: `ResourceLimitError` when nothing is left."""
        self.purse[0] -= units
        if self.purse[0] < 0:
            raise ResourceLimitError("the template does more work than a message may", token=None)

    def spend_on_block(self, length: int, live: int) -> None:
        """Pay for a block before it is rendered: its text, and one turn over its tags."""
        self.spend(_BLOCK + length + _TURN * live)

    def raise_for_loop_limit(self, length: int = 1) -> None:
        super().raise_for_loop_limit(length)
        self.spend(_TURN * length * self._live)

    def assign(self, key: str, val: Any) -> None:
        weight = weigh(val)
        self.spend(weight)
        self._local_sizes[key] = weight
        if len(self._local_sizes) > 200 or sum(self._local_sizes.values()) > MAX_VALUE:
            raise ResourceLimitError("the template keeps more than a message may", token=None)
        self.locals[key] = val

    def filter(self, name: str, token: Token | None) -> Callable[..., object]:
        plain = super().filter(name, token)

        @wraps(plain)
        def paid(*args: object, **kwargs: object) -> object:
            self.spend(sum(weigh(value) for value in (*args, *kwargs.values())))
            _weigh_result(name, args)
            result = plain(*args, **kwargs)
            self.spend(weigh(result))
            return result

        return paid


class BoundedForNode(ForNode):
    """A loop whose range is looked at before the engine begins it.

    The engine counts what a loop will do, and not what it does before: `reversed` made a list of all
    the range (93 MB for a hundred million), and `offset` went through all that stands before it.
    """

    __slots__ = ()

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        looped = self.expression.iterable.evaluate(context)
        if isinstance(looped, range) and looped.stop - looped.start > MAX_LOOP:
            raise ResourceLimitError(f"a range has more than {MAX_LOOP:,} items", token=self.token)
        return super().render_to_output(context, buffer)


class BoundedForTag(ForTag):
    """`for`, with that node."""

    node_class = BoundedForNode


class BoundedTemplate(BoundTemplate):
    """A parsed template that is rendered in a `BoundedContext`. `live`: characters of its tags."""

    context_class = BoundedContext
    live: int = 1
