"""Words of providers without where somebody is reached: they like to say it back."""

import re

_MAIL = re.compile(r"[\w.!#$%&'*+=?^`{|}~-]+@[\w-]+(?:\.[\w-]+)*")
_NUMBER = re.compile(r"\+?\d(?:[ ()./-]?\d){6,}")
LONGEST = 300


def without_addresses(words: str, address: str = "") -> str:
    """The words on one line, 300 characters at most, without this address, mail addresses and telephone numbers."""
    plain = " ".join(words.split())
    if address:
        plain = re.sub(re.escape(address), "<address>", plain, flags=re.IGNORECASE)
    return _NUMBER.sub("<number>", _MAIL.sub("<address>", plain))[:LONGEST]
