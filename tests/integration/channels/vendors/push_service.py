"""A push service and the browsers behind it: it checks who sends (RFC 8292), they decrypt (RFC 8291)."""

import base64
import json
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02

from tests.integration.channels.vendors.scripted_http import (
    Answer,
    Request,
    ScriptedVendor,
    pause,
)


@dataclass
class Browser:
    """One subscription: what it gives to a web page, and what only it can read."""

    pair: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    auth: bytes = b"sixteen secret b"

    @property
    def keys(self) -> dict[str, str]:
        point = self.pair.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return {"p256dh": encoded(point), "auth": encoded(self.auth)}

    def read(self, sealed: bytes) -> dict[str, Any]:
        opened = http_ece.decrypt(
            sealed, private_key=self.pair, auth_secret=self.auth, version="aes128gcm"
        )
        return json.loads(opened)


class PushService(ScriptedVendor):
    """`public`: the key of the application server that its subscriptions were made for."""

    def __init__(self, public: str) -> None:
        super().__init__()
        self.public = public
        self.browser = Browser()

    def other(self, request: Request) -> Answer | None:
        if self._forged(request.headers.get("authorization", "")):
            return Answer(403, "the key does not fit the subscription")
        if "ttl" not in request.headers or request.headers["content-encoding"] != "aes128gcm":
            return Answer(400, "Missing TTL header")
        return None

    def _forged(self, authorization: str) -> bool:
        scheme, _, rest = authorization.partition(" ")
        given = dict(part.split("=", 1) for part in rest.split(","))
        claims = json.loads(decoded(given["t"].split(".")[1]))
        left = claims["exp"] - time.time()
        return (
            scheme != "vapid"
            or given["k"] != self.public
            or not Vapid02.verify(authorization)
            or claims["aud"] != self.url
            or not claims["sub"].startswith("mailto:")
            or not 0 < left <= 24 * 3_600
        )

    def address_of(self, request: Request) -> str:
        return f"{self.url}{request.path}"

    def subject_of(self, request: Request) -> str:
        return self.browser.read(request.body)["title"]

    def accept(self, request: Request) -> Answer:
        return Answer(201, "", {"Location": f"{self.url}/message/{len(self.seen)}"})

    def refuse(self, request: Request, words: str) -> Answer:
        return Answer(410, f"push subscription has unsubscribed or expired. {words}")

    def busy(self, request: Request, retry_after: timedelta | None, words: str) -> Answer:
        return Answer(429, words, pause(retry_after))


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
