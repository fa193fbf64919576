"""Secrets that are shown once: 256 random bits with a prefix and a checksum, kept as a digest.

The prefix lets scanners find one that leaked, the checksum tells one that was mistyped from one that
was revoked. Of so many random bits a plain SHA-256 gives nothing away.
"""

import hashlib
import re
import secrets
import zlib

_SHAPE = re.compile(r"(clew_(?:wk|st)_)([A-Za-z0-9_-]{43})([0-9a-f]{8})")

WRITE_KEY = "clew_wk_"
STAFF_TOKEN = "clew_st_"  # noqa: S105 -- a prefix


def new_secret(prefix: str) -> str:
    """A secret of this kind, such as `clew_wk_…`."""
    body = prefix + secrets.token_urlsafe(32)
    return f"{body}{_checksum(body)}"


def digest(secret: str) -> bytes:
    """What is kept of it."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def mistyped(secret: str, prefix: str) -> bool:
    """Whether it begins as ours do and cannot be one: the database need not be asked."""
    if not secret.startswith(prefix):
        return False
    found = _SHAPE.fullmatch(secret)
    return found is None or _checksum(found[1] + found[2]) != found[3]


def _checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"
