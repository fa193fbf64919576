"""The kinds of step, one file each. A new kind is a file here and one word in `KINDS`."""

from collections.abc import Iterator
from typing import Annotated, Any, Union

from pydantic import BaseModel, Discriminator, Tag, create_model

from journey.language import Model, Step
from journey.steps import choose, finish, for_each, go, handoff, promise, send, set, wait

KINDS: dict[str, type[Step]] = {
    kind.kind: kind
    for kind in (
        send.Send,
        wait.Wait,
        choose.Choose,
        handoff.Handoff,
        promise.Promise,
        for_each.ForEach,
        set.Set,
        go.Go,
        finish.Finish,
    )
}


def _kind_of(value: Any) -> str | None:
    if isinstance(value, dict):
        keys = list(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        return f"step:{keys[0]}" if len(keys) == 1 and keys[0] in KINDS else None
    if isinstance(value, BaseModel):
        return f"step:{next(iter(type(value).model_fields))}"
    return None


_WRAPPERS = {kind: create_model(f"{step.__name__}Step", __base__=Model, **{kind: (step, ...)}) for kind, step in KINDS.items()}  # pyright: ignore[reportCallIssue, reportArgumentType]

AnyStep = Annotated[
    Union[tuple(Annotated[wrapper, Tag(f"step:{kind}")] for kind, wrapper in _WRAPPERS.items())],  # noqa: UP007 -- made from a table
    Discriminator(
        _kind_of,
        custom_error_type="step",
        custom_error_message=f"a step is one of {', '.join(KINDS)}, and one only",
    ),
]
"""One step as it is written: a mapping with its kind as the only key."""


def step_of(written: Any) -> Step:
    """The step inside its wrapper."""
    return getattr(written, next(iter(type(written).model_fields)))


def _models() -> Iterator[type[BaseModel]]:
    for module in (wait, choose, handoff):
        yield from (
            item for item in vars(module).values() if isinstance(item, type) and issubclass(item, BaseModel)
        )
    yield from KINDS.values()
    yield from _WRAPPERS.values()


for _model in _models():
    _model.model_rebuild(force=True, _types_namespace={"AnyStep": AnyStep})
