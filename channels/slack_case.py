"""A case as a message in Slack: its blocks, and what its buttons carry.

Of what a customer wrote only the title and the first characters of the brief stand in it, as text without a
meaning: no markup, no link, nobody who is called. Source: https://docs.slack.dev/reference/block-kit.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from channels.slack import escaped
from contracts.outside_desk import ShownCase
from journey.effects import OfferedDecision

MOST_BRIEF = 300
MOST_TITLE = 150
MOST_DECISIONS = 24
"""Buttons of decisions; whoever needs another has the link."""

CLAIM, DECIDE, FILL, LINK = "clew-claim", "clew-decide", "clew-fill", "clew-link"
"""What a button is for. `FILL`: a decision with fields, asked for in a form."""

_IN_A_ROW = 5
_LONGEST_NAME = 200
_STATES = {
    "open": "waits for somebody", "reopened": "open again", "claimed": "worked on", "snoozed": "put off",
    "pending": "waits for the customer", "resolved": "decided", "closed": "closed", "expired": "expired",
}  # fmt: skip


@dataclass(slots=True, frozen=True, kw_only=True)
class Pressed:
    """A button that somebody pressed."""

    case: str
    what: str
    decision: str = ""


def case_message(case: ShownCase) -> dict[str, Any]:
    """The text and the blocks of a case; `text` is what is read out and shown in notices."""
    blocks: list[dict[str, Any]] = [
        _plain(f"{case.name}  {plain(case.title, MOST_TITLE)}".strip()),
        {"type": "context", "elements": [{"type": "mrkdwn", "text": _standing(case)}]},
    ]
    if case.brief.strip():
        blocks.append(_plain(plain(case.brief, MOST_BRIEF)))
    if case.over:
        blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": _outcome(case)}]})
    blocks += _buttons(case)
    text = f"{case.name} {plain(case.title, MOST_TITLE)} ({_STATES.get(case.state, case.state)})"
    return {
        "text": escaped(text), "blocks": blocks, "mrkdwn": False, "parse": "none", "link_names": False,
        "unfurl_links": False, "unfurl_media": False,
    }  # fmt: skip


def plain(text: str, most: int) -> str:
    """The first characters of what somebody wrote, in which no program finds an address to make a link of."""
    cut = text.strip()
    cut = cut if len(cut) <= most else f"{cut[: most - 1]}…"
    return cut.replace("://", ":\u2060//").replace("www.", "www\u2060.").replace("@", "@\u2060")


def fitting(text: str, most: int) -> str:
    """As much of it, escaped, as fits where Slack refuses what is longer."""
    said = plain(text, most)
    while len(escaped(said)) > most:
        said = said[:-1]
    return escaped(said)


def read_pressed(action: Mapping[str, Any]) -> Pressed | None:
    """What a pressed button is for; None where it is none of ours, or leads somewhere by itself."""
    what = str(action.get("action_id", "")).partition("/")[0]
    value = action.get("value")
    if what not in (CLAIM, DECIDE, FILL) or not isinstance(value, str) or len(value) > 2_000:
        return None
    try:
        told: Any = json.loads(value)
    except ValueError:
        return None
    if not isinstance(told, dict):
        return None
    named = cast("dict[str, Any]", told)
    case, decision = named.get("case"), named.get("decision", "")
    if not isinstance(case, str) or not isinstance(decision, str):
        return None
    return Pressed(case=case, what=what, decision=decision)


def _standing(case: ShownCase) -> str:
    holder = case.holder_name or case.holder or "nobody yet"
    parts = [
        f"*{_label(case.queue_title or case.queue)}*",
        _STATES.get(case.state, _label(case.state)),
        f"with {_label(holder)}",
    ]
    if case.due is not None and not case.over:
        parts.append(f"due {_moment(case.due)}")
    return "  ·  ".join(parts)


def _outcome(case: ShownCase) -> str:
    if case.decision is None:
        return f"Over: {_STATES.get(case.state, _label(case.state))}."
    by = f" by {_label(case.decided_by)}" if case.decided_by else ""
    return f"Decided{by}: *{_label(case.decision)}*"


def _moment(at: datetime) -> str:
    """A moment in words: Slack says it in the time of whoever reads it."""
    stamp, utc = int(at.timestamp()), at.astimezone(UTC)
    return f"<!date^{stamp}^{{date_short_pretty}} at {{time}}|{utc:%Y-%m-%d %H:%M} UTC>"


def _label(text: str) -> str:
    """A word of ours or of the house inside markup, without a meaning there."""
    for sign in "*_~`":
        text = text.replace(sign, f"\u2060{sign}\u2060")
    return escaped(plain(" ".join(text.split()), _LONGEST_NAME))


def _plain(text: str) -> dict[str, Any]:
    said = escaped(text) or " "
    return {"type": "section", "text": {"type": "plain_text", "text": said, "emoji": False}}


def _buttons(case: ShownCase) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    if not case.over:
        if case.holder is None and not case.holder_name:
            made.append(_button("Claim", CLAIM, {"case": case.name}))
        made += [
            _of_decision(case.name, name, offered, n)
            for n, (name, offered) in enumerate(case.decisions.items())
            if n < MOST_DECISIONS
        ]
    link = {"type": "button", "action_id": LINK, "text": _button_text("Open in the inbox")}
    if case.link:
        made.append({**link, "url": case.link[:3_000]})
    rows = (made[at : at + _IN_A_ROW] for at in range(0, len(made), _IN_A_ROW))
    return [{"type": "actions", "elements": row} for row in rows]


def _of_decision(case: str, name: str, offered: OfferedDecision, n: int) -> dict[str, Any]:
    what = FILL if offered.fields else DECIDE
    more = "…" if offered.fields else ""
    value = {"case": case, "decision": name}
    button = _button(f"{plain(offered.title or name, 60)}{more}", f"{what}/{n}", value)
    if what == DECIDE:  # it is done at once: a slip of the finger should not decide
        button["confirm"] = {
            "title": _button_text("Decide?"),
            "text": _button_text(f"{case}: {offered.title or name}", 300),
            "confirm": _button_text("Decide"),
            "deny": _button_text("Cancel"),
        }
    return button


def _button(text: str, action: str, value: Mapping[str, str]) -> dict[str, Any]:
    return {
        "type": "button",
        "action_id": action,
        "text": _button_text(text),
        "value": json.dumps(dict(value)),
    }


def _button_text(text: str, most: int = 75) -> dict[str, Any]:
    return {"type": "plain_text", "text": fitting(text, most), "emoji": False}
