"""Codes that a phone makes of a key and the time (RFC 6238): six digits, new every thirty seconds.

A code counts in its own thirty seconds only, as ASVS 6.5.5 asks: phones keep time better than that.
"""

import base64
import hmac
import secrets
from datetime import datetime
from urllib.parse import quote, urlencode

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

KEY_BYTES = 20
DIGITS = 6
SECONDS = 30


def new_key() -> bytes:
    """A key of 160 random bits, as RFC 4226 recommends."""
    return secrets.token_bytes(KEY_BYTES)


def step_of(now: datetime) -> int:
    """The number of the thirty seconds that this moment is in."""
    return int(now.timestamp()) // SECONDS


def code_of(key: bytes, step: int) -> str:
    """The code of these thirty seconds."""
    # HMAC-SHA-1, whose weakness is no matter in an HMAC: phones know no other for certain.
    made = TOTP(key, DIGITS, SHA1(), SECONDS)  # noqa: S303 -- as RFC 6238 says
    return made.generate(step * SECONDS).decode()


def is_code(key: bytes, step: int, given: str) -> bool:
    """Whether that is the code of these thirty seconds; it takes as long for any."""
    return hmac.compare_digest(code_of(key, step).encode(), given.encode(errors="replace"))


def written(key: bytes) -> str:
    """The key as it is typed into a phone: base32 in groups of four."""
    text = base64.b32encode(key).decode().rstrip("=")
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def address(key: bytes, member: str, house: str) -> str:
    """The key as phones and password managers open it. `house`: what they show beside the code."""
    told = {
        "secret": written(key).replace(" ", ""),
        "issuer": house,
        "algorithm": "SHA1",
        "digits": DIGITS,
        "period": SECONDS,
    }
    return (
        f"otpauth://totp/{quote(house)}:{quote(member, safe='')}?{urlencode(told, quote_via=quote)}"
    )
