"""How history is sealed: AES-256-GCM under a key of the customer, which a master key wraps.

NIST SP 800-38D: 96-bit nonces by chance, so one data key seals at most 2³² payloads; `clew keys rotate`
gives a new one long before. Compressed first where that helps: what is sealed no longer compresses.
"""

import base64
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
NONCE_BYTES = 12
COMPRESSED_FROM = 200
"""Bytes from which compression is tried: below, its head costs more than it gains."""

UNPACKED_AT_MOST = 64 * 1024 * 1024
DERIVED = "secret"
"""The name of the master key that is made from the installation's secret."""

_PLAIN, _PACKED = b"\0", b"\1"


class SealBrokenError(ValueError):
    """What should be sealed was changed, or belongs to somebody else."""


class UnknownMasterKeyError(LookupError):
    """A data key is wrapped by a master key that this process was not given."""


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A data key as it is kept: under the master key of this name."""

    master: str
    wrapped: bytes


class MasterKeys:
    """The keys that wrap customers' keys, by name, the newest first."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = dict(keys)
        self.newest = next(iter(self._keys))

    @classmethod
    def read(cls, told: str | None, secret: str) -> "MasterKeys":
        """From `name:base64,name:base64`, and the one made from the secret, which comes last.

        Raises: `ValueError` naming what cannot be read.
        """
        keys: dict[str, bytes] = {}
        for each in (told or "").replace("\n", ",").split(","):
            name, _, text = each.strip().partition(":")
            if not name and not text:
                continue
            keys[name] = _read_key(name, text)
        keys.setdefault(DERIVED, _derived(secret))
        return cls(keys)

    def __contains__(self, name: str) -> bool:
        return name in self._keys

    def wrap(self, key: bytes, owner: str, n: int) -> WrappedKey:
        """Wrap a data key under the newest master key."""
        return WrappedKey(self.newest, seal_bytes(self._keys[self.newest], key, _place(owner, n)))

    def unwrap(self, kept: WrappedKey, owner: str, n: int) -> bytes:
        """A data key again. Raises: `UnknownMasterKeyError`, `SealBrokenError`."""
        master = self._keys.get(kept.master)
        if master is None:
            raise UnknownMasterKeyError(
                f"keys of history are under the master key {kept.master!r}: name it in CLEW_HISTORY_KEYS"
            )
        return unseal_bytes(master, kept.wrapped, _place(owner, n))


def new_key() -> bytes:
    """A data key of 256 random bits."""
    return os.urandom(KEY_BYTES)


def seal_bytes(key: bytes, data: bytes, place: bytes) -> bytes:
    """Nonce, then what is sealed; it opens with the same key in the same place only."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, data, place)


def unseal_bytes(key: bytes, sealed: bytes, place: bytes) -> bytes:
    """Raises: `SealBrokenError`."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place)
    except (InvalidTag, ValueError):
        raise SealBrokenError("it does not open with this key in this place") from None


def pack(data: bytes) -> bytes:
    """Compressed where that makes it shorter; the first byte says which."""
    if len(data) >= COMPRESSED_FROM:
        packed = zlib.compress(data, 1)
        if len(packed) < len(data):
            return _PACKED + packed
    return _PLAIN + data


def unpack(packed: bytes) -> bytes:
    """Raises: `SealBrokenError` where it is not what `pack` makes."""
    if packed[:1] == _PLAIN:
        return packed[1:]
    opened = zlib.decompressobj()
    try:
        data = opened.decompress(packed[1:], UNPACKED_AT_MOST)
    except zlib.error:
        raise SealBrokenError("it cannot be unpacked") from None
    if packed[:1] != _PACKED or not opened.eof:
        raise SealBrokenError("it cannot be unpacked")
    return data


def _read_key(name: str, text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except ValueError:
        key = b""
    if not name or len(key) != KEY_BYTES:
        raise ValueError(
            f"{name or 'a key without a name'}: write name:base64 of 32 bytes, as {HOW}"
        )
    return key


HOW = 'echo "2026:$(openssl rand -base64 32)"'


def _derived(secret: str) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"clew history").derive(secret.encode())


def _place(owner: str, n: int) -> bytes:
    return f"{n}/{owner}".encode()
