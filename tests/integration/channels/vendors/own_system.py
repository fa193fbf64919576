"""A customer's own system that takes Standard Webhooks, checked with the library of that standard."""

from datetime import timedelta
from typing import Any

from standardwebhooks import Webhook

from channels.webhook import shown_secret
from tests.integration.channels.vendors.scripted_http import (
    Answer,
    Request,
    ScriptedVendor,
    pause,
)

SECRET = b"what the installation signs with"


class OwnSystem(ScriptedVendor):
    """Refuses what is not signed for it, and takes an id once."""

    def other(self, request: Request) -> Answer | None:
        Webhook(shown_secret(SECRET, self.address_of(request))).verify(
            request.body, dict(request.headers)
        )
        return None

    def known(self, request: Request) -> bool:
        return any(
            taken.headers["webhook-id"] == request.headers["webhook-id"] for taken in self.taken
        )

    def address_of(self, request: Request) -> str:
        return f"{self.url}{request.target}"

    def subject_of(self, request: Request) -> str:
        return self.data(request)["subject"]

    def data(self, request: Request) -> dict[str, Any]:
        assert request.json["type"] == "message"
        return request.json["data"]

    def accept(self, request: Request) -> Answer:
        return Answer(204)

    def refuse(self, request: Request, words: str) -> Answer:
        return Answer(410, words)

    def busy(self, request: Request, retry_after: timedelta | None, words: str) -> Answer:
        return Answer(503, words, pause(retry_after))


class AppriseJson(ScriptedVendor):
    """The service `json` of Apprise: whatever URL, in the shape of its documentation."""

    def address_of(self, request: Request) -> str:
        return f"json{self.url.removeprefix('http')}{request.path}"

    def subject_of(self, request: Request) -> str:
        return request.json["title"]

    def accept(self, request: Request) -> Answer:
        return Answer(200, {})

    def refuse(self, request: Request, words: str) -> Answer:
        return Answer(404, words)

    def busy(self, request: Request, retry_after: timedelta | None, words: str) -> Answer:
        return Answer(429, words, pause(retry_after))
