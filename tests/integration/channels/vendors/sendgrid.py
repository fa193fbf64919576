"""SendGrid's mail/send, in the shapes of its documentation."""

from datetime import timedelta

from tests.integration.channels.vendors.scripted_http import (
    Answer,
    Request,
    ScriptedVendor,
    pause,
)

API_KEY = ".".join(["SG", "not-a-key", "of-anybody"])


class SendGrid(ScriptedVendor):
    """`field`: what it says is wrong where it refuses for good. `status`: with which it does."""

    field: str | None = None
    status = 400

    def other(self, request: Request) -> Answer | None:
        assert (request.method, request.target) == ("POST", "/v3/mail/send")
        if request.headers.get("authorization") != f"Bearer {API_KEY}":
            return errors(401, "The provided authorization grant is invalid, expired, or revoked")
        return None

    def address_of(self, request: Request) -> str:
        (person,) = request.json["personalizations"]
        (to,) = person["to"]
        return to["email"]

    def subject_of(self, request: Request) -> str:
        return request.json["subject"]

    def accept(self, request: Request) -> Answer:
        return Answer(202, "", {"X-Message-Id": f"LRzXl_NHStOGhQ4kofSm_{len(self.seen)}"})

    def refuse(self, request: Request, words: str) -> Answer:
        return errors(self.status, words, self.field)

    def busy(self, request: Request, retry_after: timedelta | None, words: str) -> Answer:
        return Answer(429, errors(429, "too many requests").body, pause(retry_after))


def errors(status: int, words: str, field: str | None = None) -> Answer:
    return Answer(status, {"errors": [{"message": words, "field": field, "help": None}]})
