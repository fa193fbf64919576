"""Slack's chat.postMessage, in the shapes of its documentation."""

from datetime import timedelta

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
