"""Messages in Slack. An address is the id of a user or a channel, such as U012AB3CD or C012AB3CD.

Slack takes no key, so an attempt whose answer is lost stays unknown.
Source: https://docs.slack.dev/reference/methods/chat.postMessage.
"""

import re
from datetime import timedelta
from typing import Any

import orjson

from activities.message_channel import (
    ProviderAnswer,
    ProviderBusyError,
    ProviderRefusedError,
    RenderedMessage,
    UnknownOutcomeError,
)
from channels.provider_http import ProviderHttp, Told
from channels.unsubscribe_link import UnsubscribeLinks, marketing_link
from channels.way_out import with_link
from contracts.delivery_mark import delivery_mark

API = "https://slack.com/api"
METADATA = "clew_delivery"
"""The type of the metadata in which our mark travels with a message."""

_ADDRESS = re.compile(r"[UWCGD][A-Z0-9]{2,30}")
_UNREACHABLE = frozenset(
    {
        "channel_not_found", "user_not_found", "is_archived", "not_in_channel", "account_disabled",
        "user_disabled", "user_not_visible", "messages_tab_disabled", "cannot_dm_bot", "is_inactive",
        "restricted_action", "restricted_action_read_only_channel", "channel_type_not_supported",
    }
)  # fmt: skip
_NOT_TAKEN = frozenset(
    {
        "msg_too_long", "no_text", "invalid_blocks", "invalid_arguments", "invalid_metadata_format",
        "message_limit_exceeded", "duplicate_message_not_found", "cannot_reply_to_message",
    }
)  # fmt: skip
_BUSY = frozenset(
    {"ratelimited", "rate_limited", "service_unavailable", "team_added_to_org", "accesslimited"}
)
_DOUBTFUL = frozenset({"fatal_error", "internal_error", "request_timeout"})
_LONGEST = 40_000


class SlackChannel:
    """Messages from one app in one workspace."""

    name = "slack"
    provider = "slack"
    key_window: timedelta | None = None
    looks_up = False

    def __init__(
        self,
        token: str,
        links: UnsubscribeLinks,
        *,
        api: str = API,
        http: ProviderHttp | None = None,
    ) -> None:
        self._token, self._links = token, links
        self._http = http or ProviderHttp("Slack")
        self._url = f"{api}/chat.postMessage"

    async def send(self, message: RenderedMessage) -> ProviderAnswer:
        """Post the message; the provider's id is channel and time stamp, `C012AB3CD/1503435956.000247`.

        Raises: `ProviderRefusedError`, `ProviderBusyError`, `UnknownOutcomeError`.
        """
        if not _ADDRESS.fullmatch(message.address):
            raise ProviderRefusedError("is not the id of a user or channel", reason="unreachable")
        told = await self._http.post(
            self._url,
            message.key,
            content=orjson.dumps(self._message(message)),
            headers={
                "content-type": "application/json; charset=utf-8",
                "authorization": f"Bearer {self._token}",
            },
        )
        if not told.taken:
            raise self._http.failed(told)
        if told.body.get("ok") is not True:
            raise failure(told)
        where, at = told.body.get("channel"), told.body.get("ts")
        if not isinstance(where, str) or not isinstance(at, str):
            raise UnknownOutcomeError("Slack took the message and did not say under which id")
        return ProviderAnswer(provider_id=f"{where}/{at}")

    async def look_up(self, key: str) -> ProviderAnswer | None:
        """Slack cannot be asked for a key of ours without the right to read the channel."""
        raise NotImplementedError(f"Slack cannot say what became of {key}")

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    def _message(self, message: RenderedMessage) -> dict[str, Any]:
        text = f"*{escaped(message.subject)}*\n{escaped(message.text.strip())}"
        if message.link is not None:
            text += f"\n{escaped(message.link)}"
        url = marketing_link(self._links, message, self.name)
        text = with_link(text, url and escaped(url), message.locale)
        return {
            "channel": message.address,
            "text": text[:_LONGEST],
            "unfurl_links": False,
            "metadata": {
                "event_type": METADATA,
                "event_payload": {"delivery": delivery_mark(message.key)},
            },
            **_thread(message),
        }


def failure(told: Told) -> Exception:
    """What Slack's error means."""
    error = str(told.body.get("error", "") or "no reason given")[:100]
    words = f"Slack answered {error}"
    if error in _UNREACHABLE:
        return ProviderRefusedError(words, reason="unreachable")
    if error in _NOT_TAKEN:
        return ProviderRefusedError(words, reason="not_taken")
    if error in _DOUBTFUL:
        return UnknownOutcomeError(f"{words}, and may have posted it")
    if error in _BUSY:
        return ProviderBusyError(words, retry_after=told.retry_after)
    # What is left is about our token, our scopes or our app: invalid_auth, token_revoked,
    # missing_scope … It is ours to mend, and the message waits for that.
    return ProviderBusyError(f"{words}: mend the Slack app or CLEW_SLACK_TOKEN")


def _thread(message: RenderedMessage) -> dict[str, str]:
    """A correction stands under what it corrects, where we know Slack's time stamp of that."""
    known = (message.corrects_id or "").rpartition("/")[2]
    return {"thread_ts": known, "reply_broadcast": "true"} if known else {}


def escaped(text: str) -> str:
    """Three letters have a meaning in Slack; without it nobody writes <!channel> through a trait."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
