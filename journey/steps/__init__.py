"""The kinds of step, one file each. A new kind is a file here and one word in `KINDS`."""

import sys
from typing import TYPE_CHECKING, Annotated, Any, Union

from pydantic import BaseModel, Discriminator, Tag, create_model

from journey.language import Step, WrittenStep
from journey.steps import (
    ask,
    call,
    choose,
    finish,
    for_each,
    go,
    handoff,
    offer,
    parallel,
    promise,
    repeat,
    run,
    send,
    show,
    split,
    wait,
)
from journey.steps import set as set_step

KINDS: dict[str, type[Step]] = {
    kind.kind: kind
    for kind in (
        send.Send,
        wait.Wait,
        choose.Choose,
        split.Split,
        handoff.Handoff,
        ask.Ask,
        offer.Offer,
        promise.Promise,
        show.Show,
        repeat.Repeat,
        for_each.ForEach,
        parallel.Parallel,
        set_step.Set,
        call.Call,
        run.Run,
        go.Go,
        finish.Finish,
    )
}


def _kind_of(value: Any) -> str | None:
    if isinstance(value, dict):
        keys: list[Any] = list(value)  # pyright: ignore[reportUnknownArgumentType] -- raw data
        return f"step:{keys[0]}" if len(keys) == 1 and keys[0] in KINDS else None
    if isinstance(value, BaseModel):
        return f"step:{next(iter(type(value).model_fields))}"
    return None


def _wrapper(step: type[Step]) -> type[WrittenStep]:
    fields: dict[str, Any] = {step.kind: (step, ...)}
    return create_model(f"{step.__name__}Step", __base__=WrittenStep, **fields)


_WRAPPERS = {kind: _wrapper(step) for kind, step in KINDS.items()}

if TYPE_CHECKING:
    AnyStep = WrittenStep
else:
    AnyStep = Annotated[
        Union[  # noqa: UP007 -- made from a table
            tuple(Annotated[wrapper, Tag(f"step:{kind}")] for kind, wrapper in _WRAPPERS.items())
        ],
        Discriminator(
            _kind_of,
            custom_error_type="step",
            custom_error_message=f"a step is one of {', '.join(KINDS)}, and one only",
        ),
    ]


# Where a kind has steps inside, it names what only now is known; it is looked up there once a whole is built.
for _kind in KINDS.values():
    vars(sys.modules[_kind.__module__])["AnyStep"] = AnyStep
