"""Blocks that messages share: `{% render "signature" %}` puts in what the house published under that name."""

from collections.abc import Callable, Iterator, Mapping
from typing import cast

from liquid import BoundTemplate, Environment, RenderContext
from liquid.ast import Node
from liquid.builtin.expressions import StringLiteral
from liquid.builtin.tags.render_tag import RenderNode
from liquid.exceptions import TemplateNotFoundError
from liquid.loader import BaseLoader, TemplateSource

from activities.message_text import MessageCannotRenderError
from channels.liquid_bounds import BoundedContext, BoundedTemplate

BLOCKS = cast("str", object())
"""Where a rendering carries its blocks: no text, so that no template can name it."""

Parse = Callable[[Environment, str], BoundedTemplate]


class BlockLoader(BaseLoader):
    """Finds blocks among those that came with the rendering; nothing is read from anywhere else."""

    def __init__(self, parse: Parse) -> None:
        self._parse = parse

    def load(
        self,
        env: Environment,
        name: str,
        *,
        globals: Mapping[str, object] | None = None,  # noqa: A002 -- the engine's name
        context: RenderContext | None = None,
        **kwargs: object,
    ) -> BoundTemplate:
        """The block of this name. Raises: `TemplateNotFoundError`."""
        blocks = _blocks(context)
        if name not in blocks:
            raise TemplateNotFoundError(name)
        try:
            parsed = self._parse(env, blocks[name])
        except MessageCannotRenderError as error:
            error.name = f"blocks/{name}.liquid"
            raise
        if isinstance(context, BoundedContext):
            context.spend_on_block(len(blocks[name]), parsed.live)
        return parsed

    def get_source(
        self,
        env: Environment,
        template_name: str,
        *,
        context: RenderContext | None = None,
        **kwargs: object,
    ) -> TemplateSource:
        """Nothing has a source of its own: `load` parses what is there."""
        raise TemplateNotFoundError(template_name)


def _blocks(context: RenderContext | None) -> Mapping[str, str]:
    if context is None or BLOCKS not in context.globals:
        return {}
    return context.globals[BLOCKS]  # pyright: ignore[reportReturnType] -- put there by LiquidText alone


def used_blocks(template: BoundTemplate) -> Iterator[tuple[str, int]]:
    """The blocks that a template puts in itself, and where in it."""
    nowhere = RenderContext(template)
    heap: list[Node] = list(template.nodes)
    while heap:
        node = heap.pop(0)
        if isinstance(node, RenderNode):
            if isinstance(node.name, StringLiteral):
                yield str(node.name.value), node.token.start_index
        else:
            heap = [*node.children(nowhere, include_partials=False), *heap]
