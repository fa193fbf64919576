"""Links that lead over us: short, nobody can guess them, and the same at every attempt."""

import base64
import hashlib
import hmac

from channels.signed_link import SMALLEST_SECRET

_BYTES = 15
"""20 letters: 120 bits."""


class ShortLinks:
    """Makes the counted links of one installation (`activities.counted_links.LinkTokens`)."""

    def __init__(self, base_url: str, secret: bytes) -> None:
        if len(secret) < SMALLEST_SECRET:
            raise ValueError(f"the secret of counted links needs {SMALLEST_SECRET} bytes or more")
        self._base = base_url.rstrip("/")
        self._secret = hashlib.sha256(b"short" + secret).digest()

    def token(self, delivery: str, url: str) -> str:
        """The token of an address in a delivery."""
        signed = hmac.new(self._secret, f"{delivery}\n{url}".encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(signed[:_BYTES]).decode()

    def address(self, token: str) -> str:
        """The link to put in a message."""
        return f"{self._base}/l/{token}"

    def ours(self, url: str) -> bool:
        """Whether it is a page of ours: its links are signed, and lead where they say."""
        return url == self._base or url.startswith((f"{self._base}/", f"{self._base}?"))
