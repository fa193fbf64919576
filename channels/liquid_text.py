"""Text for a customer, from a Liquid template: strict, bounded, without a clock or any I/O."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from liquid import Environment, FalsyStrictUndefined, Mode
from liquid.exceptions import LiquidError, TemplateNotFoundError, UndefinedError

from activities.message_text import MessageCannotRenderError
from channels import liquid_filters
from channels.liquid_blocks import BLOCKS, BlockLoader, used_blocks
from channels.liquid_bounds import (
    MAX_LOOP,
    MAX_VALUE,
    BoundedForTag,
    BoundedTemplate,
    live_length,
    tags,
)
from journey.templates import TemplateFault

MAX_SOURCE = 100_000
"""Characters of one template: Gmail clips a mail at 102 kB."""

MAX_LIVE = 50_000
"""Characters of it that may be tags and expressions: parsing them takes 25 µs for five."""

_TAGS_LOOKED_AT = 200
"""How many tags are looked at, from the end, for the one that something is missing from."""

_UNWANTED_TAGS = ("include", "tablerow")
_UNWANTED_FILTERS = ("safe", "escapejs")
_CORRECT = "Correct the template and publish it again."
_ASKS = re.compile(r"\{%-?\s*(if|elsif|unless|case)\b")
_DEFAULT = re.compile(r"[^%}]*?\|\s*default\b")
_RANGE_CONTAINS = re.compile(r"\{%[^%]*\)\s*contains\b")


class _Bounded(Environment):
    block_nesting_limit = 20
    context_depth_limit = 20
    loop_iteration_limit = MAX_LOOP
    local_namespace_limit = MAX_VALUE
    output_stream_limit = MAX_VALUE
    template_class = BoundedTemplate


def _environment(*, html: bool) -> Environment:
    environment = _Bounded(
        tolerance=Mode.STRICT,
        undefined=FalsyStrictUndefined,
        autoescape=html,
        strict_filters=True,
        loader=BlockLoader(lambda environment, block: _parsed(block, environment is _HTML)),
    )
    for tag in _UNWANTED_TAGS:
        del environment.tags[tag]
    environment.add_tag(BoundedForTag)
    for name in _UNWANTED_FILTERS:
        del environment.filters[name]
    environment.add_filter("money", liquid_filters.money)
    environment.add_filter("time", liquid_filters.time)
    environment.add_filter("date", liquid_filters.date_in_words)
    environment.add_filter(
        "safe_html", liquid_filters.safe_html if html else liquid_filters.without_markup
    )
    return environment


_PLAIN, _HTML = _environment(html=False), _environment(html=True)


@dataclass(slots=True, frozen=True)
class VariablePlace:
    """Where a template names a variable. `guarded`: it has a default, or is asked for before."""

    name: str
    line: int
    column: int
    guarded: bool


class LiquidText:
    """Renders templates over plain values.

    A variable that is missing is an error, unless it is asked for by `default` or `if`.
    """

    def render(
        self,
        template: str,
        values: Mapping[str, object],
        now: datetime,
        *,
        html: bool = False,
        blocks: Mapping[str, str] | None = None,
    ) -> str:
        """The text for these values. `now` is there as `{{ now }}`; `html` escapes every value.

        `blocks`: what `{% render "NAME" %}` may put in.

        Raises: `MessageCannotRenderError` naming line, column and variable. A template that would
        use more than about a second or 100 MB is stopped by counted limits (`liquid_bounds`).
        """
        parsed = _parsed(template, html)
        try:
            return parsed.render({**values, "now": now.isoformat(), BLOCKS: blocks or {}})
        except MessageCannotRenderError:
            raise
        except LiquidError as error:
            raise _in_words(error, template, blocks=blocks) from None
        except (RecursionError, ArithmeticError, ValueError, TypeError) as error:
            raise MessageCannotRenderError(
                problem=str(error) or type(error).__name__, remedy="Simplify the template."
            ) from None

    def words_of(self, template: str, values: Mapping[str, object], now: datetime) -> str | None:
        """The same as `render`, or None where it cannot be: what is only shown is then left out."""
        try:
            return self.render(template, values, now)
        except MessageCannotRenderError:
            return None

    def variables(self, template: str, *, html: bool = False) -> frozenset[str]:
        """The variables it needs from outside, dotted: `run.departs`.

        Raises: `MessageCannotRenderError`, also for a filter that is not there.
        """
        return frozenset(place.name for place in self.places(template, html=html))

    def places(self, template: str, *, html: bool = False) -> list[VariablePlace]:
        """The same, with every place that names one."""
        found = _parsed(template, html).analyze(include_partials=False)
        known = (_HTML if html else _PLAIN).filters
        unknown = [
            (place.index, name)
            for name, places in found.filters.items()
            if name not in known
            for place in places
        ]
        if unknown:
            index, name = min(unknown)
            line, column = _place(index, template)
            problem = f"unknown filter {name!r}"
            raise MessageCannotRenderError(
                line=line, column=column, problem=problem, remedy=_CORRECT
            )
        asked = " ".join(each.group() for each in tags(template) if _ASKS.match(each.group()))
        return [
            VariablePlace(
                name,
                *_place(variable.span.index, template),
                guarded=re.search(rf"{re.escape(name)}\b", asked) is not None
                or _DEFAULT.match(template, variable.span.index) is not None,
            )
            for places in found.globals.values()
            for variable in places
            if (name := _dotted(variable.segments)) != "now"
        ]

    def blocks(self, template: str, *, html: bool = False) -> list[tuple[str, tuple[int, int]]]:
        """The blocks it puts in, each with line and column. Raises: `MessageCannotRenderError`."""
        return [
            (name, _place(index, template)) for name, index in used_blocks(_parsed(template, html))
        ]

    def fault(self, template: str) -> TemplateFault | None:
        """What is wrong with a template in a journey, before anybody needs it; None where nothing is."""
        try:
            self.variables(template)
            for name, (line, column) in self.blocks(template):
                raise MessageCannotRenderError(
                    line=line,
                    column=column,
                    problem=f"block {name!r} cannot be put in here",
                    remedy="Blocks are for messages; write it out.",
                )
        except MessageCannotRenderError as error:
            remedy = error.remedy[:1].lower() + error.remedy[1:].rstrip(".")
            return TemplateFault(
                line=error.line, column=error.column, message=error.problem, remedy=remedy
            )
        return None


def _dotted(segments: Sequence[object]) -> str:
    """The path up to the first part that is only known when rendering."""
    fixed: list[str] = []
    for segment in segments:
        if not isinstance(segment, str):
            break
        fixed.append(segment)
    return ".".join(fixed)


@lru_cache(maxsize=1_000)
def _parsed(template: str, html: bool) -> BoundedTemplate:
    live = live_length(template)
    if len(template) > MAX_SOURCE or live > MAX_LIVE:
        raise MessageCannotRenderError(
            problem="the template is too long",
            remedy=f"At most {MAX_SOURCE:,} characters, {MAX_LIVE:,} of them in tags.",
        )
    if found := _RANGE_CONTAINS.search(template):
        raise MessageCannotRenderError(
            line=template.count("\n", 0, found.end()) + 1,
            problem="`contains` on a range",
            remedy="Compare with >= and <=.",
        )
    environment = _HTML if html else _PLAIN
    try:
        parsed = environment.from_string(template)
    except LiquidError as error:
        raise _in_words(error, template, _place_of_end(environment, template, error)) from None
    assert isinstance(parsed, BoundedTemplate)
    parsed.live = live
    return parsed


def _place_of_end(environment: Environment, template: str, error: LiquidError) -> int:
    """Where the tag begins that something is missing from: the engine says only "found end".

    It is the tag from which on every beginning of the template fails in the same way.
    """
    if error.context() is not None:
        return 0
    place = len(template.rstrip())
    for tag in list(tags(template))[: -_TAGS_LOOKED_AT - 1 : -1]:
        try:
            environment.from_string(template[: tag.end()])
            break
        except LiquidError as earlier:
            if str(earlier.message) != str(error.message):
                break
        place = tag.start()
    return place


def _in_words(
    error: LiquidError,
    template: str,
    place: int = 0,
    *,
    blocks: Mapping[str, str] | None = None,
) -> MessageCannotRenderError:
    told = error.context()
    if isinstance(error, TemplateNotFoundError):
        known = ", ".join(sorted(blocks or {})) or "none so far"
        return MessageCannotRenderError(
            line=told[0] if told else 1,
            column=told[1] + 1 if told else 1,
            problem=f"there is no block {error.args[0]!r}",
            remedy=f"Write it as messages/blocks/NAME.liquid and publish it; there are: {known}.",
        )
    line, column = (told[0], told[1] + 1) if told is not None else _place(place, template)
    problem = str(error.message).strip().rstrip(".") or type(error).__name__
    remedy = _CORRECT
    if isinstance(error, UndefinedError):
        remedy = "Give it a default (`| default: …`), keep it in the journey, or correct the name."
    within = _block_of(error, template, blocks or {})
    return MessageCannotRenderError(
        line=line, column=column, problem=problem, remedy=remedy, name=within
    )


def _block_of(error: LiquidError, template: str, blocks: Mapping[str, str]) -> str:
    """The block that an error is in, as its file is called; empty where it is in the template itself."""
    source = getattr(error.token, "source", None)
    if source is None or source == template:
        return ""
    return next((f"blocks/{name}.liquid" for name, text in blocks.items() if text == source), "")


def _place(index: int, template: str) -> tuple[int, int]:
    before = template[:index]
    return before.count("\n") + 1, index - before.rfind("\n")
