"""Keyed hashes of what was erased: addresses that get nothing more, and ids that a restored backup brings back.

HMAC-SHA256 under keys made of CLEW_SECRET: without it nobody can try whose a hash is.
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from stores.erased_rows import address_of

_BLOCK = 64
"""Bytes that SHA-256 takes at a time."""


@dataclass(slots=True, frozen=True)
class ErasedHashes:
    """Makes them; `secret` is the installation's, the same for ever."""

    secret: bytes

    def of_address(self, channel: str, address: str) -> bytes:
        """What is kept of one address of a channel."""
        kind, plain = address_of(channel, address)
        return self.of_kind(kind, plain)

    def of_kind(self, kind: str, address: str) -> bytes:
        """The same, of an address as it is hashed."""
        return hmac.digest(self._key(b"erased addresses"), f"{kind}:{address}".encode(), "sha256")

    def of_customer(self, customer: str) -> bytes:
        """What a proof keeps of an id of ours."""
        return hmac.digest(self._key(b"erased customers"), customer.encode(), "sha256")

    def asked(self, addresses: Mapping[str, str]) -> dict[str, object]:
        """Parameters for PostgreSQL, which makes the same hashes of addresses that it reads itself.

        `erased_inner` and `erased_outer` are HMAC's two padded keys; `erased_known`: of addresses
        known already, by channel.
        """
        key = self._key(b"erased addresses").ljust(_BLOCK, b"\0")
        return {
            "erased_inner": bytes(each ^ 0x36 for each in key),
            "erased_outer": bytes(each ^ 0x5C for each in key),
            "erased_known": [self.of_address(*each) for each in _sorted(addresses.items())],
        }

    def _key(self, use: bytes) -> bytes:
        return hmac.digest(self.secret, b"clew " + use, hashlib.sha256)


def _sorted(addresses: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return sorted(addresses)
