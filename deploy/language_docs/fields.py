"""The fields of a model as a table: the name as it is written, what goes there, what it says."""

import types
from collections.abc import Collection, Iterator
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic.functional_validators import BeforeValidator

from journey.channels import Way
from journey.definition import Share
from journey.language import EventName, Identifier, Slug, Words, WrittenStep
from journey.steps import AnyStep

STEPS = "[steps]({up}README.md#steps)"
_NAMES: list[tuple[Any, str]] = [
    (Slug, "name-with-dashes"),
    (Way, "name of a channel"),
    (Identifier, "name_for_conditions"),
    (EventName, "name of a touchpoint"),
    (AnyStep, STEPS),
]
_WORDS = {
    "Condition": "[condition]({up}conditions.md)",
    "Value": "[value]({up}conditions.md)",
    "MomentText": "[moment]({up}moments-and-lengths.md)",
    "SpanText": "[length of time]({up}moments-and-lengths.md)",
    "Template": "text with Liquid in it",
}
_ON_A_PAGE = {
    "Entry": "entries",
    "Exit": "exits-and-reactions",
    "Reaction": "exits-and-reactions",
    "WhileRunning": "exits-and-reactions",
    "Goal": "exits-and-reactions",
}
_PLAIN: dict[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "`true` or `false`",
}


class _AnyStep:
    """In place of the union of all kinds of step."""


def table(model: type[BaseModel], up: str, only: Collection[str] | None = None) -> str:
    """The fields of a model, or `only` these, as a Markdown table.

    `up`: how one comes from the page to docs/language.
    """
    hints = _hints(model)
    lines = [
        "| field | what goes there | unless said | what it says |",
        "| --- | --- | --- | --- |",
    ]
    for name, info in model.model_fields.items():
        if only is not None and name not in only:
            continue
        goes = in_words(hints[name], up) + _bounds(info)
        said = (info.description or "").replace("\n", " ")
        lines.append(f"| `{info.alias or name}` | {cell(goes)} | {_default(info)} | {cell(said)} |")
    return "\n".join(lines)


def parts(model: type[BaseModel]) -> list[type[BaseModel]]:
    """The models inside a model, steps apart, each once, in the order in which they are named."""
    found: list[type[BaseModel]] = []
    for hint in _hints(model).values():
        for inner in _models(hint):
            if inner not in found:
                found += [inner, *(each for each in parts(inner) if each not in found)]
    return list(dict.fromkeys(found))


def in_words(hint: Any, up: str) -> str:
    """A type as a person would say it."""
    for known, words in _NAMES:
        if hint == known:
            return words.format(up=up)
    if hint is _AnyStep:
        return STEPS.format(up=up)
    origin = get_origin(hint)
    if origin is Annotated:
        inner, *metadata = get_args(hint)
        read = [
            each.json_schema_input_type for each in metadata if isinstance(each, BeforeValidator)
        ]
        return "share such as `5%`" if Share in read else in_words(inner, up)
    if origin in (Union, types.UnionType):
        each = [in_words(one, up) for one in get_args(hint) if one is not type(None)]
        return " or ".join(dict.fromkeys(each))
    if origin is Literal:
        return " or ".join(
            f"`{str(one).lower() if isinstance(one, bool) else one}`" for one in get_args(hint)
        )
    if origin is list:
        [item] = get_args(hint)
        inner = in_words(item, up)
        return inner if inner == STEPS.format(up=up) else f"list: {inner}"
    if origin is dict:
        key, value = get_args(hint)
        return f"{in_words(key, up)} → {in_words(value, up)}"
    return _one(hint, up)


def _one(hint: Any, up: str) -> str:
    if isinstance(hint, type) and issubclass(hint, Words):
        return _WORDS.get(hint.__name__, hint.pattern_words).format(up=up)
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        page = _ON_A_PAGE.get(hint.__name__)
        return (
            f"[{spoken(hint)}]({f'{up}{page}.md' if page else ''}#{spoken(hint).replace(' ', '-')})"
        )
    return _PLAIN.get(hint, "any JSON")


def spoken(model: type[BaseModel]) -> str:
    """The name of a model as words: `AnsweredBy` is `answered by`."""
    name = model.__name__
    return "".join(f" {each.lower()}" if each.isupper() else each for each in name).strip()


def cell(text: str) -> str:
    """Text that may stand in a table."""
    return " ".join(text.replace("|", "\\|").split())


def _hints(model: type[BaseModel]) -> dict[str, Any]:
    names = {"AnyStep": _AnyStep, "Literal": Literal}
    hints = get_type_hints(model, localns=names, include_extras=True)
    return {name: hints[name] for name in model.model_fields}


def _models(hint: Any) -> Iterator[type[BaseModel]]:
    if hint == AnyStep or hint is _AnyStep:
        return
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        if not issubclass(hint, WrittenStep):
            yield hint
        return
    for one in get_args(hint):
        yield from _models(one)


def _bounds(info: FieldInfo) -> str:
    lowest = highest = None
    for each in info.metadata:
        match each:
            case annotated_types.Ge(ge=bound):
                lowest = f"{bound}"
            case annotated_types.Gt(gt=bound):
                lowest = f"above {bound}"
            case annotated_types.Le(le=bound):
                highest = f"{bound:,}" if isinstance(bound, int) else f"{bound}"
            case annotated_types.MinLen(min_length=bound) if info.annotation is not str:
                lowest = f"{bound}" if bound > 0 else None
            case annotated_types.MaxLen(max_length=bound) if info.annotation is not str:
                highest = f"{bound:,}"
            case _:
                continue
    if lowest and highest:
        return f", {lowest} to {highest}"
    return f", {lowest} or more" if lowest else f", at most {highest}" if highest else ""


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    value = info.get_default(call_default_factory=True)
    match value:
        case None | [] | {} | "":
            return ""
        case bool():
            return f"`{str(value).lower()}`"
        case list():
            return f"`[{', '.join(map(str, value))}]`"  # pyright: ignore[reportUnknownArgumentType] -- any field's
        case BaseModel():
            return ""
        case _:
            return f"`{value}`"
