"""Templates that would get out of the language; as a program it renders each in a process of its own."""

import os
from datetime import UTC, datetime
from typing import Any

from activities.message_text import MessageCannotRenderError, PublishedMessage, RenderFor
from channels.liquid_text import LiquidText
from channels.message_renderer import MessageFileRenderer
from tests.security.payloads import corpus
from tests.unit.bomb_limits import set_off

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
CANARY = "canary-of-the-environment"
_CORPUS: dict[str, Any] = corpus("templates.yaml")

VALUES: dict[str, Any] = {
    "customer": {
        "first_name": "Anna",
        "zone": "Europe/Prague",
        "n": 99_999_999_999,
        "big": "x" * 9_000,
        "tags": "<" * 9_000,
    },
    "run": {"gate": "B4"},
    "event": {"name": "Began"},
    "house": {"name": "Meridian"},
}
BLOCKS = {"signature": "Yours"}


def walks() -> list[str]:
    """Every root asked for every attribute, in both ways of writing."""
    return [
        written
        for root in _CORPUS["roots"]
        for name in _CORPUS["attributes"]
        for written in (f"{{{{ {root}.{name} }}}}", f"{{{{ {root}['{name}'] }}}}")
    ]


ALONE: list[str] = [str(each) for each in _CORPUS["alone"]]
PAYLOADS = [*walks(), *ALONE]
MJML: list[str] = [str(each) for each in _CORPUS["mjml"]]


def escaped(template: str, said: str) -> str:
    """What a text shows that it must not; empty where nothing is."""
    shown = ["root:x:0", CANARY, "<class ", "<function", "<bound method", "<built-in", " object at 0x",
             "uid=", "Traceback", "Yours"]  # fmt: skip
    found = [each for each in shown if each in said and each not in template]
    if "49" in said and "49" not in template.replace("7*7", ""):
        found.append("49")
    if "%}49{%" in template.replace("-", "") and "49" in said:
        found.append("49")
    return ", ".join(found)


def ignite(name: str) -> str:
    """Render some: refused, rendered, or what they showed."""
    kind, _, numbers = name.partition(" ")
    if kind == "mjml":
        return _as_mjml(MJML[int(numbers)])
    first, _, last = numbers.partition("-")
    told = [_as_liquid(each) for each in PAYLOADS[int(first) : int(last)]]
    wrong = [each for each in told if each not in ("refused", "rendered")]
    return "; ".join(wrong) or told[0]


def _as_liquid(template: str) -> str:
    """As text, and as markup."""
    outcome = "refused"
    for html in (False, True):
        try:
            said = LiquidText().render(template, VALUES, NOW, html=html, blocks=BLOCKS)
        except MessageCannotRenderError:
            continue
        if found := escaped(template, said):
            return f"{template!r} showed {found}"
        if len(said) > 250_000:
            return f"{template!r} made {len(said)} characters"
        outcome = "rendered"
    return outcome


def _as_mjml(markup: str) -> str:
    body = (
        f"<mjml><mj-body><mj-section><mj-column>{markup}</mj-column></mj-section></mj-body></mjml>"
    )
    message = PublishedMessage(
        name="late", revision="r", source=f"---\nsubject: Late\nmjml: |\n  {body}\n---\n"
    )
    try:
        said = MessageFileRenderer().render(message, VALUES, NOW, RenderFor())
    except MessageCannotRenderError:
        return "refused"
    if found := escaped(markup, f"{said.html}{said.text}"):
        return f"showed {found}"
    return "rendered"


_WALKS = len(PAYLOADS) - len(ALONE)
NAMES = [
    # What only asks for a name costs nothing: many of them in one process.
    *(f"liquid {n}-{min(n + 50, _WALKS)}" for n in range(0, _WALKS, 50)),
    *(f"liquid {n}-{n + 1}" for n in range(_WALKS, len(PAYLOADS))),
    *(f"mjml {n}" for n in range(len(MJML))),
]

if __name__ == "__main__":
    os.environ["CANARY"] = CANARY
    for each in ("liquid 0-1", "liquid 60-61", "mjml 19"):
        ignite(each)
    set_off(NAMES, ignite)
