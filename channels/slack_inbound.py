"""What people write to our app in Slack: its events, and whether Slack signed them.

https://docs.slack.dev/authentication/verifying-requests-from-slack, https://docs.slack.dev/apis/events-api
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from channels.mail_words import one_line, readable
from contracts.inbound_message import MOST_TEXT, InboundMessage

OLDEST = timedelta(minutes=5)
"""An older request may have been recorded and be played again."""

_ID = re.compile(r"[A-Z0-9]{2,32}")
_TIME = re.compile(r"\d{1,12}\.\d{1,9}")
_MENTION = re.compile(r"<@[A-Z0-9]{2,32}(\|[^>]{0,100})?>")
_LINK = re.compile(r"<((?:https?|mailto|tel):[^|>]{1,2000})(?:\|([^>]{0,500}))?>")


def is_slacks(secret: str, timestamp: str, body: bytes, signature: str, now: datetime) -> bool:
    """Whether Slack signed this body with our app's secret, a moment ago."""
    made = hmac.new(
        secret.encode(), b"v0:" + timestamp.encode("utf-8", "replace") + b":" + body, hashlib.sha256
    )
    signed = hmac.compare_digest(
        f"v0={made.hexdigest()}".encode(), signature.encode("utf-8", "replace")
    )
    if not timestamp.isascii() or not timestamp.isdecimal() or len(timestamp) > 12:
        return False
    return signed and abs(now - datetime.fromtimestamp(int(timestamp), UTC)) <= OLDEST


def challenge_of(told: Mapping[str, Any]) -> str | None:
    """What Slack wants to hear back when it is told our address."""
    if told.get("type") != "url_verification":
        return None
    challenge = told.get("challenge")
    return challenge[:500] if isinstance(challenge, str) else ""


def read_event(told: Mapping[str, Any], at: datetime) -> InboundMessage | None:
    """What a person wrote to us; None where it is anything else, such as what we wrote ourselves."""
    event: Any = told.get("event")
    if told.get("type") != "event_callback" or not isinstance(event, dict):
        return None
    said = cast("dict[str, Any]", event)
    if said.get("type") not in ("message", "app_mention") or said.get("bot_id"):
        return None
    if said.get("subtype") not in (None, "file_share", "thread_broadcast"):
        return None
    if said.get("type") == "message" and said.get("channel_type") not in (None, "im"):
        return None  # what people say to each other is not for us, unless we are named
    user, where, ts = (str(said.get(name, "")) for name in ("user", "channel", "ts"))
    if not (_ID.fullmatch(user) and _ID.fullmatch(where) and _TIME.fullmatch(ts)):
        return None
    team = str(told.get("team_id", ""))
    text = _plain(said.get("text"))
    thread = str(said.get("thread_ts", ""))
    names = _file_names(said.get("files"))
    left = f"\n\n[Files left in Slack: {one_line(', '.join(names))}]" if names else ""
    return InboundMessage(
        reply=f"slack-{team if _ID.fullmatch(team) else ''}-{where}-{ts}",
        channel="slack",
        address=user,
        received_at=at,
        sent_to=where,
        text=text,
        whole=text + left,
        answers=(f"{where}/{thread}",) if _TIME.fullmatch(thread) else (),
        names=(("slack", user),),
    )


def _file_names(files: object) -> list[str]:
    listed = cast("list[Any]", files)[:20] if isinstance(files, list) else []
    each = [cast("dict[str, Any]", file) for file in listed if isinstance(file, dict)]
    return [str(file.get("name", ""))[:120] for file in each]


def _plain(text: object) -> str:
    """Slack's markup as people read it."""
    if not isinstance(text, str):
        return ""
    said = _LINK.sub(lambda found: found[2] or found[1], _MENTION.sub("", text[:MOST_TEXT]))
    for sign, letter in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        said = said.replace(sign, letter)
    return readable(said).strip()
