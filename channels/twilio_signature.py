"""Whether Twilio sent this: `X-Twilio-Signature` over our public address and the form's fields.

https://www.twilio.com/docs/usage/security#validating-requests
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

_USUAL_PORTS = {"https": 443, "http": 80}


def is_signed(auth_token: str, url: str, fields: Mapping[str, str], signature: str) -> bool:
    """Whether `signature` is that of these form fields, sent to this address of ours.

    `url` is the whole public address as Twilio was told it, with its query. Twilio signs it with
    the port or without, which is not said anywhere: either is taken.
    """
    told = "".join(name + fields[name] for name in sorted(fields))
    given = signature.encode("utf-8", "replace")
    signed = False
    for spelled in _spellings(url):
        made = hmac.new(
            auth_token.encode(), (spelled + told).encode("utf-8", "replace"), hashlib.sha1
        )
        # Each spelling is looked at, so that the time tells nothing.
        signed |= hmac.compare_digest(base64.b64encode(made.digest()), given)
    return signed


def _spellings(url: str) -> set[str]:
    try:
        parts = urlsplit(url)
        port, usual = parts.port, _USUAL_PORTS.get(parts.scheme)
    except ValueError:
        return {url}
    if port is None and usual is None:
        return {url}
    host = parts.netloc if port is None else parts.netloc.removesuffix(f":{port}")
    both = (host, f"{host}:{port or usual}")
    return {url, *(urlunsplit(parts._replace(netloc=each)) for each in both)}
