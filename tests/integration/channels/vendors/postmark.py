"""Postmark's /email and its search of messages, in the shapes of its documentation."""

from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

from tests.integration.channels.vendors.scripted_http import (
    Answer,
    Request,
    ScriptedVendor,
    pause,
)

TOKEN = "not-a-server-token"


class Postmark(ScriptedVendor):
    """`code`: with which it refuses for good. `lags`: how many searches do not find a mail yet."""

    code = 411
    lags = 0

    def other(self, request: Request) -> Answer | None:
        if request.headers.get("x-postmark-server-token") != TOKEN:
            return error(10, "No Account or Server API tokens were supplied", 401)
        if urlsplit(request.target).path == "/messages/outbound":
            return self._found(dict(parse_qsl(urlsplit(request.target).query)))
        assert (request.method, request.target) == ("POST", "/email")
        return None

    def _found(self, asked: dict[str, str]) -> Answer:
        assert {"count", "offset"} <= asked.keys()
        self.lags, late = max(0, self.lags - 1), self.lags > 0
        mark = asked["metadata_clew_delivery"]
        found = [
            {"MessageID": f"0ac29aee-{n}", "Status": "Sent", "MessageStream": each["MessageStream"]}
            for n, each in enumerate(request.json for request in self.taken)
            if each["Metadata"] == {"clew_delivery": mark}
            and each["MessageStream"] == asked["messagestream"]
        ]
        shown = [] if late else found
        return Answer(200, {"TotalCount": len(shown), "Messages": shown[: int(asked["count"])]})

    def address_of(self, request: Request) -> str:
        return request.json["To"]

    def subject_of(self, request: Request) -> str:
        return request.json["Subject"]

    def accept(self, request: Request) -> Answer:
        return Answer(
            200,
            {
                "To": self.address_of(request),
                "SubmittedAt": "2014-02-17T07:25:01.4178645-05:00",
                "MessageID": f"0a129aee-e1cd-480d-b08d-{len(self.seen):012}",
                "ErrorCode": 0,
                "Message": "OK",
            },
        )

    def refuse(self, request: Request, words: str) -> Answer:
        return error(self.code, words)

    def busy(self, request: Request, retry_after: timedelta | None, words: str) -> Answer:
        return Answer(429, {"ErrorCode": 429, "Message": words}, pause(retry_after))


def error(code: int, words: str, status: int = 422) -> Answer:
    return Answer(status, {"ErrorCode": code, "Message": words})
