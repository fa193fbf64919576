"""Addresses that lead a member's answer by mail to a case: `staff+<token>@<reply domain>`."""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass

from channels.reply_address import ReplyAddresses, based

STAFF_MAILBOX = "staff"
_SIGNATURE_BYTES = 10
_KEY = re.compile(r"staff-mail:(\d{1,19}):(\d{1,19}):[^:]+:(.+)", re.DOTALL)
_TOKEN = re.compile(r"([0-9a-z]{1,13})-([0-9a-z]{1,13})-([a-z2-7]{16})")


@dataclass(slots=True, frozen=True, kw_only=True)
class StaffAddress:
    """A case, as `entry` and `n`, and a signature that holds for one member."""

    entry: int
    n: int
    signature: str


def staff_mail_key(entry: int, n: int, about: str, member: str) -> str:
    """The key of a mail to a member about a case: the same at every attempt, and nobody else's."""
    return f"staff-mail:{entry}:{n}:{about}:{member}"


class StaffAddresses(ReplyAddresses):
    """Makes and reads them, in the manner of customers' own; signed for the case and the member.

    Only the mail to that member holds the address: it cannot be made from the case, or from another member's.
    """

    def __init__(self, domain: str, secret: bytes) -> None:
        super().__init__(domain, secret)
        self._of_staff = hashlib.sha256(b"staff reply address" + secret).digest()

    def address(self, key: str) -> str | None:
        """Where answers to this mail go, and what mail systems report of it."""
        found = _KEY.fullmatch(key)
        if found is None:
            return None
        entry, n = int(found[1]), int(found[2])
        token = f"{based(entry)}-{based(n)}-{self._signed(entry, n, found[3])}"
        return f"{STAFF_MAILBOX}+{token}@{self.domain}"

    def is_staffs(self, address: str) -> bool:
        """Whether mail to this address is for cases, whatever its token is worth."""
        mailbox = address.strip().lower().rpartition("@")[0].partition("+")[0]
        return self.is_ours(address) and mailbox == STAFF_MAILBOX

    def read_staffs(self, address: str) -> StaffAddress | None:
        """What stands in it; None where it is none. Whether it holds, `holds` says."""
        if not self.is_staffs(address):
            return None
        token = address.strip().lower().rpartition("@")[0].partition("+")[2]
        found = _TOKEN.fullmatch(token)
        if found is None:
            return None
        return StaffAddress(entry=int(found[1], 36), n=int(found[2], 36), signature=found[3])

    def holds(self, read: StaffAddress, member: str) -> bool:
        """Whether it was made for this member."""
        return hmac.compare_digest(read.signature, self._signed(read.entry, read.n, member))

    def _signed(self, entry: int, n: int, member: str) -> str:
        text = f"{entry}-{n}-{member}".encode()
        digest = hmac.new(self._of_staff, text, hashlib.sha256).digest()
        return base64.b32encode(digest[:_SIGNATURE_BYTES]).decode().lower()
