"""The pair of keys by which push services know who sends (VAPID, RFC 8292)."""

import base64
import functools
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02, VapidException

_TOKEN_HOLDS = timedelta(hours=12)
"""At most 24 hours, says the RFC; a clock may be wrong."""
_TOKEN_KEPT = 1_000


class VapidKeyError(ValueError):
    """The text is not a private key of VAPID; `clew vapid-key` makes one."""


class VapidKey:
    """One installation's pair. `private` is 32 bytes in base64url; `contact` is mailto: or https://."""

    def __init__(self, private: str, contact: str) -> None:
        try:
            raw = base64.urlsafe_b64decode(private + "=" * (-len(private) % 4))
            if len(raw) != 32:
                raise ValueError("not 32 bytes")
            self._pair: Any = Vapid02.from_raw(private.encode())
        except ValueError as error:
            raise VapidKeyError("not a private key of VAPID: clew vapid-key makes one") from error
        self._contact = contact
        try:
            self._sign("https://push.example", 1)
        except VapidException:
            raise VapidKeyError(
                f"{contact!r} is no mailto:… or https://… to be written to"
            ) from None
        self._signed = functools.lru_cache(maxsize=_TOKEN_KEPT)(self._sign)

    @property
    def public(self) -> str:
        """What a web page gives to the browser as `applicationServerKey`."""
        return _public(self._pair.public_key)

    def authorization(self, endpoint: str, now: datetime) -> str:
        """The header for one push service, the same for some hours: services may remember it.

        Raises: `ValueError` where the endpoint is no address of one.
        """
        parts = urlsplit(endpoint)
        half = int(_TOKEN_HOLDS.total_seconds()) // 2
        slot = int(now.timestamp()) // half
        try:
            return self._signed(f"{parts.scheme}://{parts.netloc}", (slot + 2) * half)
        except VapidException as error:
            raise ValueError("is not the address of a push service") from error

    def _sign(self, audience: str, ends: int) -> str:
        claims = {"aud": audience, "exp": ends, "sub": self._contact}
        return str(self._pair.sign(claims)["Authorization"])


def new_pair() -> tuple[str, str]:
    """A new private key, and its public one."""
    pair = ec.generate_private_key(ec.SECP256R1())
    private = pair.private_numbers().private_value.to_bytes(32, "big")
    return _base64url(private), _public(pair.public_key())


def _public(key: ec.EllipticCurvePublicKey) -> str:
    return _base64url(key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
