"""Whether Twilio sent this: `X-Twilio-Signature` over our public address and the form's fields.

https://www.twilio.com/docs/usage/security#validating-requests
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from urllib.parse import urlsplit, urlunsplit

Fields = Iterable[tuple[str, str]]
"""Names and values of a form, as often as they came."""

_USUAL_PORTS = {"https": 443, "http": 80}


def signature(auth_token: str, url: str, fields: Fields) -> str:
    """How Twilio signs: the address, then each field and its value, sorted; a pair counts once."""
    told = url + "".join(name + value for name, value in sorted(set(fields)))
    made = hmac.new(auth_token.encode(), told.encode(errors="replace"), hashlib.sha1)
    return base64.b64encode(made.digest()).decode()


def is_signed(auth_token: str, url: str, fields: Fields, given: str) -> bool:
    """Whether the signature `given` is that of these form fields, sent to this address of ours.

    `url` is the whole public address as Twilio was told it, with its query. Twilio signs it with
    the port or without, which is not said anywhere: either is taken.
    """
    pairs, told = list(fields), given.encode(errors="replace")
    # Each spelling is looked at, so that the time tells nothing.
    fits = [
        hmac.compare_digest(signature(auth_token, spelled, pairs).encode(), told)
        for spelled in _spellings(url)
    ]
    return any(fits)


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
