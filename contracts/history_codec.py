"""History is sealed: what Temporal stores of a run opens with the key of its customer only.

Ids, names of signals and search attributes stay readable, and so do answers to queries and updates, which
hold ids and words only. What comes plain, from any SDK, is taken as it is. Once a customer's key is
destroyed every payload under it reads as a tombstone, never as an error: an error would be tried again
for ever.
"""

from collections.abc import Sequence
from typing import Protocol, Self

import structlog
from temporalio.api.common.v1 import Payload
from temporalio.converter import (
    ActivitySerializationContext,
    PayloadCodec,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)

from contracts.converter import ERASED, READABLE_KEY
from contracts.ids import owner_of
from contracts.sealing import SealBrokenError, pack, seal_bytes, unpack, unseal_bytes

log = structlog.get_logger(__name__)

SEALED = b"binary/clew-sealed"
KEY_ID = "clew-key"
"""Metadata of a sealed payload: `<n>/<owner>`."""


class HistoryKeys(Protocol):
    """Data keys of owners. Raises only where they cannot be had now; the task is then tried again."""

    async def newest(self, owner: str) -> tuple[int, bytes] | None:
        """The key to seal with, made where there was none; None once it is destroyed."""
        ...

    async def find(self, owner: str, n: int) -> bytes | None:
        """One of an owner's keys; None where it is destroyed or unknown."""
        ...


def tombstone() -> Payload:
    """What is left of a payload whose key is gone; it reads as a value and as a failure."""
    return Payload(
        metadata={"encoding": b"json/plain"},
        data=b'{"%s":true,"message":"erased","stack_trace":""}' % ERASED.encode(),
    )


class HistoryCodec(PayloadCodec, WithSerializationContext):
    """Seals and opens payloads, then hands them to `inner`. `seals`: whether new payloads are sealed."""

    def __init__(
        self,
        keys: HistoryKeys,
        *,
        inner: PayloadCodec | None = None,
        seals: bool = True,
        owner: str | None = None,
    ) -> None:
        self._keys = keys
        self._inner = inner
        self._seals = seals
        self._owner = owner

    def with_context(self, context: SerializationContext) -> Self:
        """The same for the payloads of one run."""
        named: str | None = None
        if isinstance(context, WorkflowSerializationContext | ActivitySerializationContext):
            named = context.workflow_id
        if named is None:
            return self
        return type(self)(self._keys, inner=self._inner, seals=self._seals, owner=owner_of(named))

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Sealed, but for answers. Without a run they belong to nobody and are sealed as nobody's."""
        given = list(payloads) if self._inner is None else await self._inner.encode(payloads)
        return [await self._seal(payload) for payload in given]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Opened where sealed."""
        opened = [await self._open(payload) for payload in payloads]
        return opened if self._inner is None else await self._inner.decode(opened)

    async def _seal(self, payload: Payload) -> Payload:
        if READABLE_KEY in payload.metadata:
            # The mark has done its work, and the Temporal CLI shows only what has none as plain JSON.
            plain = {name: each for name, each in payload.metadata.items() if name != READABLE_KEY}
            return Payload(metadata=plain, data=payload.data)
        if not self._seals:
            return payload
        owner = self._owner or ""
        key = await self._keys.newest(owner)
        if key is None:
            return tombstone()
        name = f"{key[0]}/{owner}".encode()
        return Payload(
            metadata={"encoding": SEALED, KEY_ID: name},
            data=seal_bytes(key[1], pack(payload.SerializeToString()), name),
        )

    async def _open(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != SEALED:
            return payload
        name = payload.metadata.get(KEY_ID, b"")
        number, _, owner = name.decode("utf-8", "replace").partition("/")
        if not number.isdecimal() or len(number) > 9 or (self._owner not in (None, owner)):
            log.warning("payload_of_another", key=name.decode("utf-8", "replace"))
            return tombstone()
        key = await self._keys.find(owner, int(number))
        if key is None:
            return tombstone()
        try:
            return Payload.FromString(unpack(unseal_bytes(key, payload.data, name)))
        except SealBrokenError:
            log.warning("payload_seal_broken", key=name.decode("utf-8", "replace"))
            return tombstone()
