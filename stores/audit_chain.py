"""Whether the audit is as it was written: walks the chain, and names the first deed that is not."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stores.database import Pool

START = hashlib.sha256(b"clew audit").digest()
"""What the first deed is chained to."""

_AT_ONCE = 5_000

# Deeds without a link, and links without a deed, come last: a walk meets what is wrong in the middle first.
_WALK = """
select c.n, c.hash, c.audit as linked, a.audit,
       to_char(a.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US') as at,
       a.who, a.did, a.object, a.detail_digest, a.actor, a.ip, a.request, a.before, a.after,
       a.detail::text as detail, a.erased_at is not null as erased
  from audit_chain c full join audit a on a.audit = c.audit
 order by c.n nulls last, a.audit
"""
_PARTS = (
    *("audit", "at", "who", "did", "object", "detail_digest"),
    *("actor", "ip", "request", "before", "after"),
)


@dataclass(slots=True, frozen=True, kw_only=True)
class Head:
    """The end of the chain. Kept elsewhere, it shows later that nothing was cut off or written anew."""

    n: int
    hash: str

    def __str__(self) -> str:
        return f"{self.n}:{self.hash}"


@dataclass(slots=True, frozen=True, kw_only=True)
class Verified:
    """What a walk found. `broken`: the first deed that is not as it was written, in words; '' where none."""

    deeds: int
    erased: int
    head: Head
    broken: str = ""


class AuditChain:
    """The chain as it is in the database; what is hashed is put together here, not there."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def head(self) -> Head:
        """The newest link."""
        async with self._pool.connection() as connection:
            row = await (await connection.execute("select n, hash from audit_head")).fetchone()
        return Head(n=row["n"], hash=bytes(row["hash"]).hex()) if row else Head(n=0, hash="")

    async def verify(self, kept: Head | None = None) -> Verified:
        """Walk from the first deed to the last; `kept` is a head that was noted before."""
        walk = _Walk(kept)
        async with self._pool.connection() as connection:
            # One moment for the walk and the head: what is done meanwhile belongs to neither.
            await connection.execute("set transaction isolation level repeatable read read only")
            async with connection.cursor("audit_walk") as cursor:
                cursor.itersize = _AT_ONCE
                await cursor.execute(_WALK)
                async for row in cursor:
                    walk.step(row)
                    if walk.broken:
                        return walk.told()
            row = await (await connection.execute("select n, hash from audit_head")).fetchone()
        walk.end(row)
        return walk.told()


class _Walk:
    def __init__(self, kept: Head | None) -> None:
        self._kept = kept
        self.n, self.hash, self.erased, self.broken = 0, START, 0, ""

    def step(self, row: Mapping[str, Any]) -> None:
        name = f"deed {row['audit'] if row['audit'] is not None else row['linked']}"
        if row["n"] is None:
            self.broken = f"{name} ({_said(row)}) was put in beside the chain"
        elif row["n"] != self.n + 1:
            self.broken = f"link {self.n + 1} is missing"
        elif row["audit"] is None:
            self.broken = f"{name}, link {row['n']}, was taken out"
        elif bytes(row["hash"]) != (link := _link(self.hash, row)):
            self.broken = f"{name} ({_said(row)}), link {row['n']}, is not as it was written"
        elif _altered(row):
            self.broken = f"{name} ({_said(row)}), link {row['n']}: its details were changed"
        else:
            self.n, self.hash, self.erased = row["n"], link, self.erased + row["erased"]
            if self._kept and self.n == self._kept.n and link.hex() != self._kept.hash:
                self.broken = (
                    f"link {self.n} is not the one that was kept: the chain was written anew"
                )

    def end(self, head: Mapping[str, Any] | None) -> None:
        if head is None or (head["n"], bytes(head["hash"])) != (self.n, self.hash):
            self.broken = f"the chain ends at link {self.n}, and its head does not: it was cut off"
        elif self._kept and self.n < self._kept.n:
            self.broken = (
                f"the chain ends at link {self.n}, before the kept {self._kept.n}: it was cut off"
            )

    def told(self) -> Verified:
        head = Head(n=self.n, hash=self.hash.hex())
        return Verified(deeds=self.n, erased=self.erased, head=head, broken=self.broken)


def _link(before: bytes, row: Mapping[str, Any]) -> bytes:
    parts = [str(row["n"]), *(str(row[part]) for part in _PARTS)]
    text = ",".join(f"{len(part.encode())}:{part}" for part in parts)
    return hashlib.sha256(before + text.encode()).digest()


def _altered(row: Mapping[str, Any]) -> bool:
    if row["erased"]:
        return row["detail"] != "{}"
    return hashlib.sha256(row["detail"].encode()).hexdigest() != row["detail_digest"]


def _said(row: Mapping[str, Any]) -> str:
    return f"{row['at']} {row['who']} {row['did']} {row['object']}"
