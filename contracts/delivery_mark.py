"""The mark that a provider carries for us with a message, and brings back with what it reports of it.

`<entry>-<n>-<12 hex digits>`: the delivery's own numbers, and a digest of its key, so that what is
reported to one installation of another's messages is not taken for its own. It names no customer,
and fits where keys do not: tags of SES (letters, digits, `_`, `-`), metadata of Postmark (80 characters).
"""

import hashlib
import re

MARK = "clew_delivery"
"""What the mark is called where it needs a name: a custom argument, a tag, a field of metadata."""

_KEY = re.compile(r".*:(\d{1,18}):(\d{1,18})", re.DOTALL)
_MARK = re.compile(r"(\d{1,18})-(\d{1,18})-([0-9a-f]{12})")


def delivery_mark(key: str) -> str:
    """The mark of a delivery by its key in the ledger, the same at every attempt."""
    numbers = _KEY.fullmatch(key)
    entry, n = (numbers[1], numbers[2]) if numbers else ("0", "0")
    return f"{entry}-{n}-{hashlib.sha256(key.encode()).hexdigest()[:12]}"


def marked(mark: str) -> tuple[int, int] | None:
    """The entry and `n` that a mark names; None where it is no mark."""
    found = _MARK.fullmatch(mark)
    return (int(found[1]), int(found[2])) if found else None
