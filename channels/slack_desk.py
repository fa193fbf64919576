"""Slack as a desk of staff: a case is a message in the channel of its queue, and changes with it.

Only the title of a case and the first 300 characters of its brief go to Slack, beside our own words, the
names of who has it, and its short name. An id there is `channel/ts`.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, cast

from activities.message_channel import UnknownOutcomeError
from channels.slack import escaped
from channels.slack_calls import SlackCalls, SlackError
from channels.slack_case import case_message, plain
from contracts.outside_desk import HeardOutside, ShownCase

METADATA = "clew_case"
"""The type of the metadata by which a message of ours is known again."""

LOOKED_BACK = 100
"""Messages in which one of ours is looked for that was perhaps posted already."""

_GONE = frozenset({"message_not_found", "channel_not_found", "is_archived"})
_CANNOT_LOOK = frozenset({"missing_scope", "not_in_channel", "thread_not_found"})
_LONGEST_WORDS = 2_000


class SlackDesk:
    """Fulfils `contracts.outside_desk.OutsideDesk`. `channels`: by queue, the id of a channel; `default` for others.

    A case whose queue has no channel is shown nowhere: its id is empty. A message that was perhaps posted is
    looked for by its mark, for which the app needs channels:history (groups:history in private channels);
    without it an answer of Slack that is lost may cost a second message.
    """

    name = "slack"

    def __init__(
        self, slack: SlackCalls, channels: Mapping[str, str], default: str | None = None
    ) -> None:
        self._slack, self._channels, self._default = slack, dict(channels), default

    async def put(self, case: ShownCase, known: str | None) -> str:
        """Show a case as it stands: a message, and the same one from then on.

        Raises: `ProviderBusyError`, `ProviderRefusedError`, `UnknownOutcomeError`.
        """
        where = self._channels.get(case.queue, self._default)
        shown = case_message(case)
        try:
            if known:
                return await self._changed(case, known, shown, where)
            if where is None:
                return ""
            there = await self._there("conversations.history", {"channel": where}, _mark(case.case))
            if there is not None:
                return await self._changed(case, f"{where}/{there}", shown, where)
            return await self._posted({"channel": where, **shown}, _mark(case.case))
        except SlackError as error:
            raise error.failure from error

    async def heard(self, since: str) -> HeardOutside:
        """Nothing: Slack tells by itself what is pressed, at `/slack/cases`."""
        return HeardOutside(decisions=(), asked_to=since)

    async def refuse(self, outside_id: str, words: str) -> None:
        """Say it under the message, once for the same words."""
        channel, _, ts = outside_id.partition("/")
        if not channel or not ts:
            return
        mark = _mark(f"{outside_id} {words}")
        said = {"channel": channel, "thread_ts": ts, "text": escaped(plain(words, _LONGEST_WORDS))}
        try:
            thread = {"channel": channel, "ts": ts}
            if await self._there("conversations.replies", thread, mark) is None:
                await self._posted({**said, "mrkdwn": False, "parse": "none"}, mark)
        except SlackError as error:
            raise error.failure from error

    async def close(self) -> None:
        """Close the connections."""
        await self._slack.close()

    async def _changed(
        self, case: ShownCase, known: str, shown: Mapping[str, Any], where: str | None
    ) -> str:
        """The message says what it says now; where somebody deleted it there is another, if it is of use."""
        channel, _, ts = known.partition("/")
        metadata = _metadata(_mark(case.case))
        try:
            body = {"channel": channel, "ts": ts, **shown, "metadata": metadata}
            await self._slack.do("chat.update", body, case.case)
        except SlackError as error:
            if error.error not in _GONE:
                raise
            if case.over or where is None:
                return known
            return await self._posted({"channel": where, **shown}, _mark(case.case))
        return known

    async def _posted(self, message: Mapping[str, Any], mark: str) -> str:
        told = await self._slack.do(
            "chat.postMessage", {**message, "metadata": _metadata(mark)}, mark
        )
        where, at = told.get("channel"), told.get("ts")
        if not isinstance(where, str) or not isinstance(at, str):
            raise UnknownOutcomeError("Slack took the message and did not say under which id")
        return f"{where}/{at}"

    async def _there(self, method: str, where: Mapping[str, str], mark: str) -> str | None:
        """The time stamp of our message with this mark, where it is there and we may look."""
        query = {**where, "limit": str(LOOKED_BACK), "include_all_metadata": "true"}
        try:
            told = await self._slack.look(method, query)
        except SlackError as error:
            if error.error in _CANNOT_LOOK:
                return None
            raise
        for each in cast("list[dict[str, Any]]", told.get("messages") or []):
            if each.get("metadata") == _metadata(mark) and isinstance(each.get("ts"), str):
                return each["ts"]
        return None


def _mark(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:32]


def _metadata(mark: str) -> dict[str, Any]:
    return {"event_type": METADATA, "event_payload": {"mark": mark}}
