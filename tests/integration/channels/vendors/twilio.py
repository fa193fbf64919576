"""Twilio's messages, in the shapes of its documentation of the Message resource and of its errors."""

import base64
from datetime import timedelta
from typing import Any

from channels.twilio import TwilioAccount
from tests.integration.channels.vendors.scripted_http import (
    Answer,
    Request,
    ScriptedVendor,
    pause,
)

ACCOUNT = "AC" + "0" * 32
KEY = ("SK" + "1" * 32, "a secret of the key")
SERVICE = "MG" + "2" * 32
REFUSED = 21211


class Twilio(ScriptedVendor):
    """`refused`: the code of what is refused for good; `limited`: whether busy is 429 or a full queue."""

    refused = REFUSED

    def account(self, sender: str = SERVICE, **of: Any) -> TwilioAccount:
        told: dict[str, Any] = {
            "account": ACCOUNT,
            "user": KEY[0],
            "password": KEY[1],
            "sender": sender,
            "callback_url": "https://journeys.example/v1/feedback/twilio",
            "api": self.url,
            **of,
        }
        return TwilioAccount(**told)

    def address_of(self, request: Request) -> str:
        return request.form["To"]

    def subject_of(self, request: Request) -> str:
        return request.form.get("Body", request.form.get("ContentVariables", ""))

    def other(self, request: Request) -> Answer | None:
        basic = base64.b64encode(":".join(KEY).encode()).decode()
        if request.headers.get("authorization") != f"Basic {basic}":
            return _error(401, 20003, "Authenticate")
        if request.path != f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json":
            return _error(404, 20404, f"The requested resource {request.path} was not found")
        return None

    def accept(self, request: Request) -> Answer:
        form, sid = request.form, f"SM{len(self.seen):032x}"
        told = {
            "account_sid": ACCOUNT,
            "api_version": "2010-04-01",
            "body": form.get("Body"),
            "date_created": "Thu, 24 Aug 2023 05:01:45 +0000",
            "date_sent": None,
            "date_updated": "Thu, 24 Aug 2023 05:01:45 +0000",
            "direction": "outbound-api",
            "error_code": None,
            "error_message": None,
            "from": form.get("From"),
            "messaging_service_sid": form.get("MessagingServiceSid"),
            "num_media": "0",
            "num_segments": "0",
            "price": None,
            "price_unit": None,
            "sid": sid,
            "status": "accepted",
            "to": form["To"],
            "uri": f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{sid}.json",
        }
        return Answer(201, told)

    def refuse(self, request: Request, words: str) -> Answer:
        to = request.form["To"]
        return _error(
            400, self.refused, f"The 'To' number {to} is not a valid phone number. {words}"
        )

    def busy(self, request: Request, retry_after: timedelta | None, words: str) -> Answer:
        return _error(429, 20429, f"Too many requests {words}", pause(retry_after))


def _error(status: int, code: int, message: str, headers: dict[str, str] | None = None) -> Answer:
    more = f"https://www.twilio.com/docs/errors/{code}"
    told = {"code": code, "message": message, "more_info": more, "status": status}
    return Answer(status, told, headers or {})
