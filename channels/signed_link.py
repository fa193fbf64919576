"""Links to customers' own pages: signed, without personal data, valid for as long as the secret is.

What is signed stands behind the `#`: no browser sends that to a server, so no log of one has it.
"""

import base64
import hashlib
import hmac

SMALLEST_SECRET = 32
_VERSION = "1"
_SIGNATURE_BYTES = 16
_LONGEST = 4_000


class InvalidLinkError(ValueError):
    """A link that this installation did not make, or not so."""


class SignedLinks:
    """Makes and reads the links of one kind of page.

    `base_url` is where customers reach us, such as `https://journeys.example.com`. `secret` is the
    installation's, 32 bytes or more. `kind` keeps a link of one page from opening another.
    """

    def __init__(self, base_url: str, secret: bytes, *, kind: str, path: str) -> None:
        if len(secret) < SMALLEST_SECRET:
            raise ValueError(f"the secret of {kind} links needs {SMALLEST_SECRET} bytes or more")
        if not base_url.startswith(("https://", "http://")):
            raise ValueError(f"the address of {kind} links begins with https://")
        self.page = f"{base_url.rstrip('/')}/{path}"
        self._secret = hashlib.sha256(kind.encode() + secret).digest()

    def url(self, *parts: str) -> str:
        """The link to put in a message."""
        return f"{self.page}#{self.token(*parts)}"

    def token(self, *parts: str) -> str:
        """The signed part of the link."""
        body = _text("\n".join(parts).encode())
        return f"{_VERSION}.{body}.{_text(self._signature(body))}"

    def read(self, token: str) -> list[str]:
        """What a token stands for. Raises: `InvalidLinkError`."""
        if len(token) > _LONGEST or token.count(".") != 2:
            raise InvalidLinkError("this link is not complete")
        version, body, signature = token.split(".")
        signed = _text(self._signature(body)).encode()
        if version != _VERSION or not hmac.compare_digest(signature.encode(), signed):
            raise InvalidLinkError("this link was not made here, or was changed on the way")
        return _bytes(body).decode().split("\n")

    def _signature(self, body: str) -> bytes:
        signed = f"{_VERSION}.{body}".encode()
        return hmac.new(self._secret, signed, hashlib.sha256).digest()[:_SIGNATURE_BYTES]


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
