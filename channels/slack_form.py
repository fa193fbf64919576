"""A decision with fields as a form in Slack: one input for each, by its kind.

Source: https://docs.slack.dev/reference/views/modal-views.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from channels.slack import escaped
from channels.slack_case import fitting, plain
from journey.effects import OfferedDecision

DECISION_FORM = "clew-decision"
"""How a form of ours is known when it comes back."""

WHY = "why"
_FIELD = "field/"
_INPUT = "value"
_LONGEST_TITLE = 24
_LONGEST_ERROR = 150
_MOST_FIELDS = 90
"""Slack takes 100 blocks in a form."""


@dataclass(slots=True, frozen=True, kw_only=True)
class DecisionForm:
    """A decision that is being filled in. `channel`: where it began; `texts`: what stands in its fields.

    `why`: why it should be granted, where that is asked for; None where it is not.
    """

    case: str
    decision: str
    channel: str
    texts: Mapping[str, str] = field(default_factory=dict[str, str])
    why: str | None = None


def form_view(form: DecisionForm, offered: OfferedDecision, words: str = "") -> dict[str, Any]:
    """The form; `words` stand above it."""
    blocks: list[dict[str, Any]] = [_words(words)] if words else []
    blocks += [
        _input(f"{_FIELD}{name}", name, kind, form.texts.get(name, ""))
        for name, kind in list(offered.fields.items())[:_MOST_FIELDS]
    ]
    if form.why is not None:
        blocks.append(_input(WHY, "Why it should be granted", "text", form.why, several=True))
    told = {"case": form.case, "decision": form.decision, "channel": form.channel}
    return {
        **_view(offered.title or form.decision, blocks),
        "callback_id": DECISION_FORM,
        "private_metadata": json.dumps(told),
        "submit": _plain("Decide" if form.why is None else "Ask for it"),
        "close": _plain("Cancel"),
    }


def words_view(title: str, words: str) -> dict[str, Any]:
    """A form that only says something."""
    return {**_view(title, [_words(words)]), "close": _plain("Close")}


def errors_at(name: str, words: str) -> dict[str, Any]:
    """The answer that shows what is wrong, at the field where it is."""
    block = WHY if name == WHY else f"{_FIELD}{name}"
    return {"response_action": "errors", "errors": {block: words[:_LONGEST_ERROR]}}


def read_form(view: Mapping[str, Any]) -> DecisionForm | None:
    """What was filled in; None where it is no form of ours."""
    if view.get("callback_id") != DECISION_FORM:
        return None
    try:
        told: Any = json.loads(str(view.get("private_metadata", "")))
    except ValueError:
        return None
    names = ("case", "decision", "channel")
    if not isinstance(told, dict) or not all(isinstance(told.get(each), str) for each in names):
        return None
    state: Any = view.get("state")
    values: Any = cast("dict[str, Any]", state).get("values") if isinstance(state, dict) else None
    texts: dict[str, str] = {}
    why: str | None = None
    for block, inside in (
        cast("dict[str, Any]", values) if isinstance(values, dict) else {}
    ).items():
        text = _text_of(inside)
        if block == WHY:
            why = text or ""
        elif block.startswith(_FIELD) and text:
            texts[block.removeprefix(_FIELD)] = text
    named = cast("dict[str, str]", told)
    return DecisionForm(
        case=named["case"],
        decision=named["decision"],
        channel=named["channel"],
        texts=texts,
        why=why,
    )


def _text_of(inside: object) -> str | None:
    entry: Any = cast("dict[str, Any]", inside).get(_INPUT) if isinstance(inside, dict) else None
    if not isinstance(entry, dict):
        return None
    told = cast("dict[str, Any]", entry)
    chosen: Any = told.get("selected_option")
    value: Any = (
        cast("dict[str, Any]", chosen).get("value")
        if isinstance(chosen, dict)
        else told.get("value")
    )
    return value if isinstance(value, str) else None


def _input(
    block: str, label: str, kind: str, text: str, *, several: bool = False
) -> dict[str, Any]:
    return {
        "type": "input",
        "block_id": block[:255],
        "label": _plain(plain(label, 200)),
        "element": {"action_id": _INPUT, **_element(kind, text, several=several)},
    }


def _element(kind: str, text: str, *, several: bool) -> dict[str, Any]:
    match kind:
        case "integer" | "number":
            whole = kind == "integer"
            element: dict[str, Any] = {"type": "number_input", "is_decimal_allowed": not whole}
        case "boolean":
            options = {
                value: {"text": _plain(words), "value": value}
                for value, words in (("true", "Yes"), ("false", "No"))
            }
            chosen = {"initial_option": options[text]} if text in options else {}
            return {"type": "static_select", "options": list(options.values()), **chosen}
        case _:
            element = {"type": "plain_text_input", "multiline": several, "max_length": 2_000}
    return {**element, "initial_value": text[:2_000]} if text else element


def _view(title: str, blocks: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "type": "modal",
        "title": {"type": "plain_text", "text": fitting(title, _LONGEST_TITLE) or "Decide"},
        "blocks": blocks,
    }


def _words(words: str) -> dict[str, Any]:
    return {"type": "section", "text": _plain(plain(words, 2_000) or " ")}


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": escaped(text), "emoji": False}
