"""The other part of a mail: markup made of a text, and a text made of markup."""

import re
from functools import lru_cache
from html import escape

from inscriptis import get_text
from inscriptis.model.config import ParserConfig
from liquid import Markup

from channels.liquid_pieces import SetAside, set_aside

_PARAGRAPHS = re.compile(r"\n[ \t]*\n\s*")
_TAG_WORD = r"lqd\d+z"
_ITEM = re.compile(rf"^((?:\s|{_TAG_WORD})*)[-*] (.*)$")
_LINK = re.compile(r"\[([^\]\n]+)\]\(([^)\s]+)\)")
_BOLD = re.compile(r"\*\*([^*\n]+)\*\*")
_BARE = re.compile(r"https?://(?:(?!&[lg]t;|&#3[49];)[^\s<>\"'])*(?<![.,;:!?)\]])")
_MARKUP = re.compile(r"<a\b.*?</a>|<[^>]*>|[^<]+", re.DOTALL | re.IGNORECASE)
_EMPTY = re.compile(r"<p>\s*</p>\n?|<ul>\s*</ul>\n?")

PAGE = """<!DOCTYPE html>
<html lang="{lang}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title></title></head>
<body style="margin: 0; padding: 24px; font: 16px/1.5 -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif">
<div style="max-width: 600px; margin: 0 auto">
{content}</div></body></html>
"""

_CONFIG = ParserConfig(display_links=False)


@lru_cache(maxsize=500)
def paragraphs(text: str) -> str:
    """A text template as a template of markup: paragraphs, `- ` lists, **bold**, [links](https://…).

    It is made before anything is filled in, so that what a customer is called is never markup.
    """
    aside = set_aside(text)
    blocks = [_block(block, aside) for block in _PARAGRAPHS.split(aside.text.strip())]
    return aside.back("\n".join(filter(None, blocks)))[0]


def finished(html: str) -> Markup:
    """Markup of paragraphs that was filled in: addresses in it become links, what stayed empty goes."""
    parts = [
        _BARE.sub(_as_link, part) if not part.startswith("<") else part
        for part in _MARKUP.findall(_EMPTY.sub("", html))
    ]
    return Markup("".join(parts))


def as_text(html: str) -> str:
    """Markup as a text for who reads none; each link's address stands behind it."""
    return f"{get_text(_LINKED.sub(_told, html), _CONFIG).strip()}\n"


_LINKED = re.compile(
    r"<a\b[^>]*?\bhref\s*=\s*[\"'](https?://[^\"']+)[\"'][^>]*>(.*?)</a>", re.DOTALL | re.IGNORECASE
)


def _told(found: re.Match[str]) -> str:
    address, words = found.group(1), found.group(2)
    if not re.sub(r"<[^>]*>", "", words).strip() or address in words:
        return f"{words} {address}" if address not in words else words
    return f"{words} ({address})"


def _as_link(found: re.Match[str]) -> str:
    return f'<a href="{found.group()}">{found.group()}</a>'


def _block(block: str, aside: SetAside) -> str:
    lines = [line for line in block.split("\n") if line.strip()]
    kinds = [_kind(line, aside) for line in lines]
    if kinds and all(kind == "tag" for kind in kinds):
        return "\n".join(lines)
    if "item" in kinds and "text" not in kinds:
        items = [
            _ITEM.sub(_as_item, line) if kind == "item" else line
            for line, kind in zip(lines, kinds, strict=True)
        ]
        return "<ul>\n" + "\n".join(items) + "\n</ul>"
    return f"<p>{'<br>'.join(_inline(line) for line in lines)}</p>" if lines else ""


def _kind(line: str, aside: SetAside) -> str:
    if _ITEM.match(line):
        return "item"
    words = re.findall(_TAG_WORD, line)
    if words and not re.sub(_TAG_WORD, "", line).strip():
        pieces = [aside.pieces[int(word[3:-1])] for word in words]
        if all(piece.startswith("{%") and not _says(piece) for piece in pieces):
            return "tag"
    return "text"


def _says(piece: str) -> bool:
    """Whether a tag puts words in itself."""
    return re.match(r"\{%-?\s*(render|echo|cycle|increment|decrement|liquid)\b", piece) is not None


def _as_item(found: re.Match[str]) -> str:
    return f"{found.group(1)}<li>{_inline(found.group(2))}</li>"


def _inline(line: str) -> str:
    text = escape(line.rstrip(), quote=False)
    text = _LINK.sub(_as_named_link, text)
    return _BOLD.sub(r"<strong>\1</strong>", text)


def _as_named_link(found: re.Match[str]) -> str:
    return f'<a href="{escape(found.group(2).replace("&amp;", "&"))}">{found.group(1)}</a>'
