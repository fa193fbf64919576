"""Addresses that lead an answer by mail to the delivery it answers: `reply+<token>@<reply domain>`."""

import base64
import hashlib
import hmac
import re

from channels.signed_link import SMALLEST_SECRET

MAILBOX = "reply"
"""What stands before the token; also without one it is an address of ours."""

_SIGNATURE_BYTES = 10
_KEY = re.compile(r".*:(\d{1,19}):(\d{1,19})")
_TOKEN = re.compile(r"([0-9a-z]{1,13})-([0-9a-z]{1,13})-([a-z2-7]{16})")
_DOMAIN = re.compile(r"(?=.{1,240}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9-]{1,63}")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class ReplyAddresses:
    """Makes and reads the addresses of one installation.

    A token is in small letters and digits, because mail systems change the case of what stands
    before the @, and at most 44 characters, because 64 is all there is. `secret` is the
    installation's. Nobody who was not written to can make an address that leads to a delivery.
    """

    def __init__(self, domain: str, secret: bytes) -> None:
        if len(secret) < SMALLEST_SECRET:
            raise ValueError(f"the secret of reply addresses needs {SMALLEST_SECRET} bytes or more")
        self.domain = domain.strip().lower().rstrip(".")
        if not _DOMAIN.fullmatch(self.domain):
            raise ValueError(f"{domain!r} is not a domain that mail can be sent to")
        self._secret = hashlib.sha256(b"reply address" + secret).digest()

    def address(self, key: str) -> str | None:
        """Where answers to this delivery go; None where the key is not one of a run's effects."""
        found = _KEY.fullmatch(key)
        if found is None:
            return None
        entry, n = based(int(found[1])), based(int(found[2]))
        return f"{MAILBOX}+{entry}-{n}-{self._signature(entry, n)}@{self.domain}"

    def is_ours(self, address: str) -> bool:
        """Whether mail to this address is for us."""
        local, at, domain = address.strip().lower().rpartition("@")
        return bool(local and at) and domain.rstrip(".") == self.domain

    def read(self, address: str) -> tuple[int, int] | None:
        """Entry and n of the delivery that the address leads to; None where it leads to none."""
        if not self.is_ours(address):
            return None
        mailbox, _, token = address.strip().lower().rpartition("@")[0].partition("+")
        found = _TOKEN.fullmatch(token)
        if mailbox != MAILBOX or found is None:
            return None
        entry, n, signature = found.groups()
        if not hmac.compare_digest(signature, self._signature(entry, n)):
            return None
        return int(entry, 36), int(n, 36)

    def _signature(self, entry: str, n: str) -> str:
        signed = hmac.new(self._secret, f"{entry}-{n}".encode(), hashlib.sha256).digest()
        return base64.b32encode(signed[:_SIGNATURE_BYTES]).decode().lower()


def based(number: int) -> str:
    """The number in base 36."""
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits or "0"
