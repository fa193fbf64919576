"""The HTML of a mail from MJML: compiled where it is read, with its Liquid as it was written."""

from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from xml.parsers import expat

import css_inline
import mrml

from channels.liquid_pieces import as_comments, set_aside

# Nothing is fetched: neither a stylesheet that the markup names, nor a font that the compiler would.
_INLINER = css_inline.CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)
_OPTIONS = mrml.RenderOptions(fonts={})
_LOADER = mrml.ParserOptions(include_loader=mrml.noop_loader())


class MarkupError(ValueError):
    """Markup that cannot be used; `line` counts in it."""

    def __init__(self, line: int, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.line, self.problem, self.remedy = line, problem, remedy


@dataclass(slots=True, frozen=True)
class Body:
    """The markup of a mail as a template. `places`: offset in it → the line its author wrote that on."""

    html: str
    places: tuple[tuple[int, int], ...] | None = None

    def written_on(self, line: int, column: int) -> int:
        """The author's line of a place in it."""
        if self.places is None:
            return line
        before = self.html.split("\n")[: line - 1]
        offset = sum(len(each) + 1 for each in before) + column - 1
        index = bisect_right(self.places, offset, key=lambda place: place[0])
        return self.places[max(index - 1, 0)][1] if self.places else 1


@lru_cache(maxsize=500)
def compile_mjml(source: str) -> Body:
    """The HTML of MJML, styles inlined. Raises: `MarkupError`."""
    aside = set_aside(source)
    try:
        made = mrml.to_html(as_comments(aside.text), _LOADER, _OPTIONS).content
    except OSError as error:
        line, words = _fault(aside.text)
        raise MarkupError(
            line, f"is not MJML: {words or error}", "Correct the markup; see https://mjml.io."
        ) from error
    unknown = made.find("<mj-")
    if unknown >= 0:
        name = made[unknown + 1 :].split(">", 1)[0].split()[0]
        line = aside.text[: aside.text.find(f"<{name}")].count("\n") + 1
        raise MarkupError(line, f"MJML has no <{name}>", "See https://mjml.io/documentation.")
    lost = aside.missing(made)
    if lost is not None:
        problem = f"{aside.pieces[lost]} would be lost: MJML keeps nothing of it here"
        raise MarkupError(aside.lines[lost], problem, "Put it into <mj-raw>…</mj-raw>.")
    return Body(*aside.back(_INLINER.inline(as_comments(made))))


@lru_cache(maxsize=500)
def compile_html(source: str) -> Body:
    """Markup as its author wrote it; where it has a stylesheet, a whole page with styles inlined."""
    if "<style" not in source.lower():
        return Body(source)
    aside = set_aside(source)
    return Body(*aside.back(_INLINER.inline(as_comments(aside.text))))


def _fault(mjml: str) -> tuple[int, str]:
    """Where a reader of XML stops: the compiler does not say."""
    reader = expat.ParserCreate()
    try:
        reader.Parse(mjml, True)
    except expat.ExpatError as error:
        return error.lineno, expat.ErrorString(error.code)
    return 1, ""
