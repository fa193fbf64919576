"""Slack's API, in the shapes of its documentation."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.integration.channels.vendors.scripted_http import (
    Answer,
    Request,
    ScriptedVendor,
    pause,
)

TOKEN = "-".join(["xoxb", "not", "a", "token", "of", "anybody"])


class Slack(ScriptedVendor):
    """`refused`: the error with which it refuses for good."""

    refused = "channel_not_found"

    def other(self, request: Request) -> Answer | None:
        assert request.path == "/chat.postMessage"
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return Answer(200, {"ok": False, "error": "invalid_auth"})
        return None

    def address_of(self, request: Request) -> str:
        return request.json["channel"]

    def subject_of(self, request: Request) -> str:
        return request.json["text"].split("\n")[0].strip("*")

    def accept(self, request: Request) -> Answer:
        at = f"1503435956.{len(self.seen):06}"
        message = {
            "text": request.json["text"],
            "username": "ecto1",
            "bot_id": "B123ABC456",
            "type": "message",
            "subtype": "bot_message",
            "ts": at,
        }
        told = {"ok": True, "channel": request.json["channel"], "ts": at, "message": message}
        return Answer(200, told)

    def refuse(self, request: Request, words: str) -> Answer:
        return Answer(200, {"ok": False, "error": self.refused})

    def busy(self, request: Request, retry_after: timedelta | None, words: str) -> Answer:
        if retry_after is None:
            return Answer(200, {"ok": False, "error": "ratelimited"})
        return Answer(429, {"ok": False, "error": "ratelimited"}, pause(retry_after))


class SlackWorkspace(Slack):
    """A workspace that keeps messages, and what only one person saw. `may_look`: whether our app may read channels."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: dict[tuple[str, str], dict[str, Any]] = {}
        self.whispered: list[dict[str, Any]] = []
        self.views: list[dict[str, Any]] = []
        self.may_look = True
        self.away = False

    def other(self, request: Request) -> Answer | None:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return Answer(200, {"ok": False, "error": "invalid_auth"})
        if self.away:
            return Answer(503, {"ok": False, "error": "service_unavailable"})
        match request.path.rpartition("/")[2]:
            case "chat.update":
                return self._update(request.json)
            case "chat.postEphemeral":
                self.whispered.append(request.json)
                return Answer(200, {"ok": True, "message_ts": "1.1"})
            case "views.open":
                self.views.append(request.json["view"])
                return Answer(200, {"ok": True, "view": {"id": "V1"}})
            case "conversations.history" | "conversations.replies":
                return self._history(dict(parse_qsl(urlsplit(request.target).query)))
            case _:
                return None

    def accept(self, request: Request) -> Answer:
        answer = super().accept(request)
        said = request.json
        self.messages[said["channel"], answer.body["ts"]] = said
        return answer

    def _update(self, said: dict[str, Any]) -> Answer:
        where = (said["channel"], said["ts"])
        if where not in self.messages:
            return Answer(200, {"ok": False, "error": "message_not_found"})
        self.messages[where] = said
        return Answer(200, {"ok": True, "channel": said["channel"], "ts": said["ts"]})

    def _history(self, asked: dict[str, str]) -> Answer:
        if not self.may_look:
            return Answer(200, {"ok": False, "error": "missing_scope"})
        thread = asked.get("ts")
        found = [
            {"ts": ts, "text": said["text"], "metadata": said["metadata"]}
            for (channel, ts), said in self.messages.items()
            if channel == asked["channel"] and said.get("thread_ts") == thread
        ]
        return Answer(200, {"ok": True, "messages": found})
