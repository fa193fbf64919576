"""The words the journey language is made of: names, conditions, moments, and what a touchpoint must be like."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Union, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    StringConstraints,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from journey.moments import read_moment
from journey.spans import SpanError, read_span

if TYPE_CHECKING:
    from journey.happenings import Answer
    from journey.state import Thread
    from journey.turn import Turn

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$", max_length=64)]
"""A name in lower case with dashes, such as `checked-in`: journeys, stages, messages, queues, outcomes."""

Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
"""A name that conditions can use, such as `cart_value`: kept values, results, items."""


_JOINERS = "\u200c\u200d"
"""Signs that make one of the two beside them, in Persian, in Indian scripts, and in emoji."""


def _visible(name: str) -> str:
    """A name in which every sign can be seen: one that cannot would never be met by the name without it."""
    for sign in name:
        if sign not in _JOINERS and unicodedata.category(sign) in ("Cc", "Cf", "Zl", "Zp"):
            where = {"sign": f"U+{ord(sign):04X}", "remedy": "take it out, or type the name anew"}
            raise PydanticCustomError(
                "invisible", "there is a sign in it that cannot be seen, {sign}", where
            )
    return name


def _no_number(value: object) -> object:
    """Python takes 1 for true and 0 for false, and a journey does not."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise PydanticCustomError("word", "expected true or false", {"remedy": "write the word"})
    return value


EventName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200, pattern=r"^\S(?:.*\S)?$"),
    AfterValidator(_visible),
]
"""The name of a touchpoint, such as `Product Added`."""

Yes = Annotated[Literal[True], BeforeValidator(_no_number)]
"""The word `true`."""


class Model(BaseModel):
    """Something in a journey file: unknown keys are refused, and nothing changes after it was read."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True, defer_build=True
    )


class Words(str):
    """Text with a meaning of its own, found again by its type wherever it stands in a definition."""

    __slots__ = ()
    pattern_words: ClassVar[str]
    json_types: ClassVar[list[str]] = ["string"]

    @classmethod
    def checked(cls, text: str) -> str:
        return text

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def read(value: object) -> "Words":
            if isinstance(value, bool) and issubclass(cls, Condition | Value):
                value = "true" if value else "false"
            if (
                isinstance(value, int | float)
                and not isinstance(value, bool)
                and issubclass(cls, Value)
            ):
                value = repr(value)
            if not isinstance(value, str):
                raise PydanticCustomError(
                    "text", "expected {what} as text", {"what": cls.pattern_words}
                )
            if not value.strip() or len(value) > 1_000:
                raise PydanticCustomError(
                    "text", "expected {what}, 1 to 1,000 characters", {"what": cls.pattern_words}
                )
            try:
                return cls(cls.checked(value.strip()))
            except SpanError as error:
                raise PydanticCustomError("span", "{words}", {"words": str(error)}) from None

        return core_schema.no_info_plain_validator_function(
            read, serialization=core_schema.plain_serializer_function_ser_schema(str)
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: Any) -> dict[str, Any]:
        return {
            "type": cls.json_types if len(cls.json_types) > 1 else cls.json_types[0],
            "minLength": 1,
            "maxLength": 1_000,
            "description": cls.pattern_words,
        }


class Condition(Words):
    """CEL that is true or false."""

    __slots__ = ()
    pattern_words = "a condition in CEL, such as 'event.properties.total >= 20.0'"
    json_types: ClassVar[list[str]] = ["string", "boolean"]


class Value(Words):
    """CEL of any value."""

    __slots__ = ()
    pattern_words = "a value in CEL, such as 'event.properties.total'"
    json_types: ClassVar[list[str]] = ["string", "boolean", "number"]


class MomentText(Words):
    """A moment: a length of time, `next 09:00`, business time, or CEL with an instant (`run.departs - 24h`)."""

    __slots__ = ()
    pattern_words = (
        "a moment: 4h, next 09:00, next weekday 09:00, 2 business hours, next business day 09:00,"
        " or 'run.departs - 24h'"
    )

    @classmethod
    def checked(cls, text: str) -> str:
        read_moment(text)
        return text


class SpanText(Words):
    """A length of time: `90m`, `2d`, `1mo`, `PT36H`."""

    __slots__ = ()
    pattern_words = "a length of time: 90m, 12h, 3d, 2w, 1mo or ISO 8601 such as PT36H"

    @classmethod
    def checked(cls, text: str) -> str:
        read_span(text)
        return text


class Template(Words):
    """A short Liquid template, such as `Stuck at payment with {{ run.cart_value | money }}`."""

    __slots__ = ()
    pattern_words = "text with Liquid in it"


Match = Annotated[
    Annotated[Literal[False], BeforeValidator(_no_number)] | Condition | None,
    Field(union_mode="left_to_right"),
]
"""What must hold of a touchpoint in place of the journey-wide `match`; `false` lifts it."""


class On(Model):
    """Which touchpoint: its name, and what must hold of it."""

    on: EventName
    """Name of the touchpoint."""
    when: Condition | None = None
    """What must hold of it besides."""
    about: Value | None = None
    """The id of the subject that it must be about, such as `leg.flight`."""
    match: Match = None
    """In place of the journey-wide `match`; `false` lifts it."""

    @property
    def named(self) -> str:
        """What must come, as a person would say it."""
        return self.on

    @property
    def in_words(self) -> str:
        """What must come, and what must hold of it."""
        about = f" about {self.about}" if self.about else ""
        return f"{self.named}{about}{f', when {self.when}' if self.when else ''}"


class WrittenStep(Model):
    """A step as it is written: a mapping with its kind as the only key. One such class a kind."""

    model_config = ConfigDict(use_attribute_docstrings=False)

    @property
    def step(self) -> "Step":
        """The step inside."""
        return getattr(self, next(iter(type(self).model_fields)))


if TYPE_CHECKING:
    AnyStep = WrittenStep  # at run time the union of all kinds, in journey.steps

Block = tuple[str, tuple[str | int, ...], "list[AnyStep]"]
"""Steps inside a step: the name that their addresses have, their path in the file, and they themselves."""


class Step(Model):
    """One action or wait. Each kind of step is one file in journey/steps and knows how it behaves."""

    kind: ClassVar[str]
    shorthand: ClassVar[str | None] = None
    """The field that may stand for the whole step: `go: paying`."""
    gives: ClassVar[dict[str, str]] = {}
    """What its result is made of: part → in words."""

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: Any) -> dict[str, Any]:
        whole = handler.resolve_ref_schema(handler(schema))
        if cls.shorthand is None:
            return whole
        return {"anyOf": [whole["properties"][cls.shorthand], whole]}

    def blocks(self) -> "Iterator[Block]":
        """The steps inside: the name in their address, the path as written, the steps."""
        return iter(())

    def listens(self) -> Iterator[On]:
        """The touchpoints it waits for."""
        return iter(())

    def hears(self) -> Iterator[str]:
        """Names of touchpoints of our own that it waits for, such as a decision of staff."""
        return iter(())

    def binds(self, block: str) -> frozenset[str]:
        """Names that conditions inside a block may use in addition."""
        return frozenset()

    def ends(self, block: str) -> Literal["next", "nothing", "here"]:
        """What follows the last step of a block: the step behind this one, nothing, or this step again.

        Nothing follows where a block runs in a thread of its own.
        """
        return "next"

    def result(self) -> str | None:
        """The name under which its result can be used later."""
        return None

    def goes_to(self) -> Iterator[str]:
        """Stages it may go to."""
        return iter(())

    def falls_through(self, block_falls: dict[str, bool]) -> bool:
        """Whether the run may go on at the following step; `block_falls` says it of each block inside."""
        return True

    def problems(self) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
        """What is wrong with it on its own: path inside the step, message, remedy."""
        return iter(())

    def in_words(self) -> Iterator[str]:
        """What it does, as a person would say it: first the step itself, then what more it says."""
        said = dict(self._plainly())
        short = said.pop(self.shorthand, None) if self.shorthand else None
        kind = self.kind.replace("_", " ")
        yield f"{kind}: {short}" if short else kind
        for name, value in said.items():
            yield f"{name.replace('_', ' ')}: {value}"

    def way_in_words(self, block: str | None) -> str:
        """What must come for a block to be taken; None: for the journey to go on without any."""
        return (block or "").replace("_", " ").replace("/", " ")

    def noted(self, block: str | None) -> tuple[str, str] | None:
        """The decision by which a way is taken, as the trace has it: its kind, and in words which one it was.

        `block` as of `way_in_words`. None where the trace does not tell this way from another.
        """
        return {"late": ("late", ""), "on_failure": ("failed", "")}.get(block or "")

    def _plainly(self) -> Iterator[tuple[str, str]]:
        """What the author wrote for it in plain words and numbers."""
        for name, info in type(self).model_fields.items():
            value = getattr(self, name)
            listed = cast("list[object]", value if isinstance(value, list) else [value])
            plain = [each for each in listed if isinstance(each, str | int | float)]
            if name in self.model_fields_set and name != "id" and plain:
                said = [each if isinstance(each, str) else f"{each}".lower() for each in plain]
                yield info.alias or name, ", ".join(said)

    def begin(self, turn: "Turn", thread: "Thread") -> None:
        """The thread has come to this step."""
        raise NotImplementedError  # pragma: no cover -- every kind of step says what it does

    def mail(self, turn: "Turn", thread: "Thread") -> None:
        """Touchpoints came, or were there already when the wait began."""

    def alarm(self, turn: "Turn", thread: "Thread") -> None:
        """The deadline of the wait has passed."""

    def answered(self, turn: "Turn", thread: "Thread", n: int, answer: "Answer") -> None:
        """The effect that the thread waits for was carried out."""
        turn.proceed(thread)

    def failed(self, turn: "Turn", thread: "Thread", n: int, why: str) -> None:
        """The effect that the thread waits for failed for good."""
        turn.proceed(thread)

    def joined(self, turn: "Turn", thread: "Thread", left: "list[Thread]") -> None:
        """One of the threads that it waits for is done; `left` are the others."""
        if not left:
            turn.proceed(thread)

    def refresh(self, turn: "Turn", thread: "Thread") -> None:
        """Something that its deadline may name has changed."""

    def words(self, turn: "Turn", thread: "Thread") -> str:
        """What it waits for, as a person would say it."""
        return self.kind


def until_words(text: str, at: Any) -> str:
    """A deadline as a person would say it."""
    return f"until {at:%Y-%m-%d %H:%M} UTC" if at is not None else f"until {text}"


def end_in_words(text: str, length: str = "at most") -> str:
    """Until when something lasts: for a length of time (`length` says how it is named), or until a moment."""
    moment = read_moment(text)
    return f"until {text}" if moment.moves or text.startswith("next ") else f"{length} {text}"


def one_of(names: Iterable[str]) -> str:
    """Alternatives as a person would say them, each once: `push, sms or email`."""
    told = list(dict.fromkeys(names))
    return " or ".join(filter(None, (", ".join(told[:-1]), told[-1]))) if told else ""


IDENTIFIER = re.compile(r"^[a-z][a-z0-9_]*$")


def told_apart(arms: list[str]) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
    """Arms that share their name: path inside the step, message, remedy."""
    for index, name in enumerate(arms):
        if name in arms[:index]:
            yield ("arms", index, "arm"), f"arm {name!r} is there twice", "give each its own name"


OnFailure = Annotated[
    Union[Literal["continue", "stop"], "list[AnyStep]"],
    Field(
        description="What to do when it cannot be done: continue (default), stop until resumed, or these steps."
    ),
]
