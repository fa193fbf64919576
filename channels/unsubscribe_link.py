"""Links that unsubscribe: signed, without personal data, valid for as long as the secret is."""

import base64
import hashlib
import hmac
from dataclasses import dataclass

SMALLEST_SECRET = 32
_VERSION = "1"
_SIGNATURE_BYTES = 16


class InvalidLinkError(ValueError):
    """A link that this installation did not make, or not so."""


@dataclass(slots=True, frozen=True, kw_only=True)
class Unsubscription:
    """Who no longer wants what, and where. The customer's id is opaque and ours."""

    customer: str
    purpose: str
    channel: str


class UnsubscribeLinks:
    """Makes and reads the links of one installation.

    `base_url` is where customers reach us, such as `https://journeys.example.com`; mail clients
    offer their one-click button only for https. `secret` is the installation's, 32 bytes or more.
    """

    def __init__(self, base_url: str, secret: bytes) -> None:
        if len(secret) < SMALLEST_SECRET:
            raise ValueError(
                f"the secret of unsubscribe links needs {SMALLEST_SECRET} bytes or more"
            )
        if not base_url.startswith(("https://", "http://")):
            raise ValueError("the address of unsubscribe links begins with https://")
        self._base_url = base_url.rstrip("/")
        self._secret = hashlib.sha256(b"unsubscribe" + secret).digest()

    def url(self, unsubscription: Unsubscription) -> str:
        """The link to put in a message."""
        return f"{self._base_url}/u/{self.token(unsubscription)}"

    def token(self, unsubscription: Unsubscription) -> str:
        """The signed part of the link."""
        parts = (unsubscription.customer, unsubscription.purpose, unsubscription.channel)
        body = _text("\n".join(parts).encode())
        return f"{_VERSION}.{body}.{_text(self._signature(body))}"

    def read(self, token: str) -> Unsubscription:
        """What a token stands for. Raises: `InvalidLinkError`."""
        if len(token) > 2_000 or token.count(".") != 2:
            raise InvalidLinkError("this link is not complete")
        version, body, signature = token.split(".")
        if version != _VERSION or not hmac.compare_digest(
            signature.encode(), _text(self._signature(body)).encode()
        ):
            raise InvalidLinkError("this link was not made here, or was changed on the way")
        customer, purpose, channel = _bytes(body).decode().split("\n")
        return Unsubscription(customer=customer, purpose=purpose, channel=channel)

    def _signature(self, body: str) -> bytes:
        signed = f"{_VERSION}.{body}".encode()
        return hmac.new(self._secret, signed, hashlib.sha256).digest()[:_SIGNATURE_BYTES]


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
