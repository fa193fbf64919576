"""No template gets out of the language or eats the machine: neither an author's, nor one that a customer is called."""

import re
from html import escape, unescape
from typing import Any

import pytest

from activities.message_text import MessageCannotRenderError, PublishedMessage, RenderFor
from channels.liquid_text import LiquidText
from channels.message_renderer import MessageFileRenderer
from tests.scorecard import keep_part
from tests.security.template_payloads import (
    ALONE,
    BLOCKS,
    CANARY,
    MJML,
    NAMES,
    NOW,
    PAYLOADS,
    VALUES,
    escaped,
)
from tests.security.trap import connections
from tests.unit.bomb_limits import outcomes

MAIL = """---
subject: "For {{ customer.first_name }}"
mjml: |
  <mjml><mj-body><mj-section><mj-column>
  <mj-text>Dear [{{ customer.first_name }}],</mj-text>
  </mj-column></mj-section></mj-body></mjml>
---
Dear [{{ customer.first_name }}],
"""
TEXT = '---\nsubject: "For {{ customer.first_name }}"\n---\nDear [{{ customer.first_name }}],\n'


def kept(part: str, payloads: int, found: list[str]) -> None:
    keep_part("R14", {f"templates {part}": payloads}, hits=len(found))
    assert found == []


def test_no_template_of_an_author_gets_out_or_eats_the_machine() -> None:
    """Each in a process of its own that is ended at 1 second of CPU and 100 MB."""
    ended = outcomes("tests.security.template_payloads")

    wrong = [f"{name}: {how}" for name, how in ended.items() if how not in ("refused", "rendered")]
    assert set(ended) == set(NAMES)
    kept("by authors", len(set(PAYLOADS)) + len(MJML), wrong)


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{7*7}}", "49"),
        ("{% render '/etc/passwd' %}", "root:x:0:0:root"),
        ("{{ env.CANARY }}", CANARY),
        ("{{ run.__class__ }}", "<class 'dict'>"),
        ("{% if run contains 'x' %}49{% endif %}", "49"),
    ],
)
def test_what_would_get_out_would_be_seen(template: str, said: str) -> None:
    assert escaped(template, said)
    assert not escaped(template, template.replace("%}49{%", "%}{%"))


def test_a_customer_who_is_called_like_a_template_is_called_so_and_no_more() -> None:
    """As data nothing is a template: the name stands there letter by letter, escaped in markup."""
    found: list[str] = []
    for payload in PAYLOADS:
        values = {**VALUES, "customer": {**VALUES["customer"], "first_name": payload}}
        plain = LiquidText().render("[{{ customer.first_name }}]", values, NOW, blocks=BLOCKS)
        markup = LiquidText().render(
            "[{{ customer.first_name }}]", values, NOW, html=True, blocks=BLOCKS
        )
        if plain != f"[{payload}]":
            found.append(f"text of {payload!r}: {plain[:80]!r}")
        if unescape(markup) != f"[{payload}]" or escape(payload, quote=False).count(
            "<"
        ) < markup.count("<"):
            found.append(f"markup of {payload!r}: {markup[:80]!r}")
    kept("as names", len(PAYLOADS), found)


def test_a_whole_mail_to_a_customer_who_is_called_like_a_template() -> None:
    with connections() as begun:
        told = [_in_mail(payload, source) for payload in ALONE for source in (MAIL, TEXT)]
    found = [each for each in told if each is not None]
    kept("in mails", 2 * len(ALONE), [*found, *begun])


def _in_mail(payload: str, source: str) -> str | None:
    message = PublishedMessage(name="late", revision="r", source=source)
    values: dict[str, Any] = {"customer": {**VALUES["customer"], "first_name": payload}}
    try:
        told = MessageFileRenderer().render(message, values, NOW, RenderFor())
    except MessageCannotRenderError as error:
        return f"{payload!r} cannot be put into words: {error}"
    # An address in a text becomes a link, also in a name; its words stay.
    read = unescape(re.sub(r"</?a\b[^>]*>", "", told.html or ""))
    if f"[{payload}]" not in told.text or f"[{payload}]" not in read:
        return f"{payload!r} is not there letter by letter"
    if "\n" in told.subject or "\r" in told.subject:
        return f"{payload!r} breaks the subject"
    return None
