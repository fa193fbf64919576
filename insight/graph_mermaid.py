"""A journey's graph as Mermaid text (https://mermaid.js.org/syntax/flowchart.html)."""

from collections.abc import Iterator

from insight.drawn_text import drawable
from insight.graph_parts import Edge, GraphNode, Group, JourneyGraph

_SHAPES = {
    "finish": ('(["', '"])'),
    "go": ('(["', '"])'),
    "choose": ('{{"', '"}}'),
    "split": ('{{"', '"}}'),
    "enter": ('>"', '"]'),
    "exit": ('>"', '"]'),
    "whenever": ('>"', '"]'),
}
_STEP = ('["', '"]')
_LONGEST = 200


def mermaid_of(graph: JourneyGraph) -> str:
    """The picture as Mermaid text; ends in a new line."""
    return "\n".join([*_written(graph), ""])


def _written(graph: JourneyGraph) -> Iterator[str]:
    ids = {address: f"n{index}" for index, address in enumerate(graph.nodes)}
    yield "flowchart TD"
    yield f"    accTitle: {_told(graph.title)}"
    for index, group in enumerate(graph.groups):
        yield f'    subgraph g{index}["{_headline(group)}"]'
        for address in group.all_steps:
            yield f"        {ids[address]}{_shape(graph.nodes[address])}"
        yield "    end"
    for edge in graph.edges:
        yield f"    {ids[edge.source]} {_arrow(edge)} {ids[edge.target]}"
    goals = [ids[address] for address, node in graph.nodes.items() if node.goal]
    if goals:
        yield "    classDef goal fill:#12805c,stroke:#12805c,color:#ffffff"
        yield f"    class {','.join(goals)} goal"


def _headline(group: Group) -> str:
    feeling = f" (feels {group.feeling})" if group.feeling else ""
    return in_label(group.title + feeling)


def _shape(node: GraphNode) -> str:
    opens, closes = _SHAPES.get(node.kind, _STEP)
    return f"{opens}{'<br/>'.join(map(in_label, node.words))}{closes}"


def _arrow(edge: Edge) -> str:
    line = "-.->" if edge.jump else "-->"
    return f'{line}|"{in_label(edge.words)}"|' if edge.words else line


def in_label(text: str) -> str:
    """Text as it may stand between quotes: signs that Mermaid, Markdown or HTML would read are written by number."""
    text = " ".join(drawable(text).split()) or "\u00a0"
    if len(text) > _LONGEST:
        text = text[: _LONGEST - 1] + "…"
    return "".join(
        letter if _is_plain(letter, before, behind) else f"#{ord(letter)};"
        for before, letter, behind in zip(["", *text], text, text[1:] + "<", strict=False)
    )


def _is_plain(letter: str, before: str, behind: str) -> bool:
    """Whether a letter means itself where it stands."""
    if not letter.isascii() or letter.isalpha() or letter in " ,()":
        return True
    if letter == ":":
        return behind == " "  # else `style …:…#…;` in a label loses its last sign
    if letter.isdigit():
        return before != ""  # else it may begin a list
    return letter in "-'" and before.isalnum()


def _told(text: str) -> str:
    """A title takes no numbers for letters: what would end it is left out."""
    return " ".join("".join(letter if letter not in ";#%{}" else " " for letter in text).split())
