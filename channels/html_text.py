"""The text of a mail that is markup only, without what it quotes."""

import re
from importlib import import_module
from typing import Any, cast

from inscriptis.html_engine import Inscriptis
from inscriptis.model.config import ParserConfig
from lxml import html

_etree: Any = import_module("lxml.etree")  # without types of its own

LARGEST = 200_000
"""Characters of markup that are read."""

_MOST_ELEMENTS = 8_000
_DEEPEST = 150
"""Levels of elements: those below are cut off, since they are read by recursion."""

_QUOTES = (
    "//*[contains(concat(' ', normalize-space(@class), ' '), ' gmail_quote ')"
    " or contains(concat(' ', normalize-space(@class), ' '), ' gmail_signature ')"
    " or contains(concat(' ', normalize-space(@class), ' '), ' gmail_attr ')"
    " or contains(concat(' ', normalize-space(@class), ' '), ' moz-cite-prefix ')"
    " or contains(concat(' ', normalize-space(@class), ' '), ' moz-signature ')"
    " or contains(concat(' ', normalize-space(@class), ' '), ' yahoo_quoted ')"
    " or contains(concat(' ', normalize-space(@class), ' '), ' protonmail_quote ')"
    " or @type='cite']"
)
# Below these everything is the quote: Outlook marks only where it begins.
_QUOTE_BEGINS = (
    "//*[@id='divRplyFwdMsg' or @id='appendonsend' or @id='OLK_SRC_BODY_SECTION'"
    " or @id='mail-editor-reference-message-container']"
)
_UNSEEN = "//script | //style | //head | //template | //noscript | //object | //iframe | //svg"
_DECLARED = re.compile(r"^\s*<\?xml[^>]*>", re.IGNORECASE)


def text_of_html(source: str) -> str:
    """The text, all of it. Empty where it is no markup that can be read."""
    return _read(source, own=False)


def own_text_of_html(source: str) -> str:
    """The text without the parts that mail programs mark as quoted or as the signature."""
    return _read(source, own=True)


def _read(source: str, *, own: bool) -> str:
    source = _DECLARED.sub("", source[:LARGEST]).replace("\x00", "")
    if not source.strip():
        return ""
    try:
        tree = cast("Any", html.document_fromstring(source))
        _prune(tree, own=own)
        return Inscriptis(tree, ParserConfig()).get_text()
    except (_etree.LxmlError, ValueError, RecursionError, AssertionError, IndexError):
        return re.sub(r"<[^>]{0,2000}>", " ", source)


def _prune(tree: Any, *, own: bool) -> None:
    """Take out what is not seen, what is quoted, and what is more than we read."""
    for element in tree.xpath(_UNSEEN):
        _remove(element)
    if own:
        for element in tree.xpath(_QUOTE_BEGINS):
            for later in [element, *element.itersiblings()]:
                _remove(later)
        for element in tree.xpath(_QUOTES):
            _remove(element)
    # Drawn as a table, one long cell beside one tall cell is 2 GB of spaces.
    for element in tree.iter("table", "thead", "tbody", "tfoot", "tr", "td", "th"):
        if element.tag in {"td", "th"}:
            element.tail = f" {element.tail or ''}"
        element.tag = "span" if element.tag in {"td", "th"} else "div"
    for count, element in enumerate(list(tree.iter())):
        if count > _MOST_ELEMENTS:
            _remove(element)
    for element in tree.xpath("/*" * _DEEPEST):
        _remove(element)


def _remove(element: Any) -> None:
    """Take an element out; the text behind it stays."""
    parent: Any = element.getparent()
    if parent is not None:
        element.drop_tree()
