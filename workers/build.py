"""What this build is called, which every event of a history carries, and this process among others."""

import hashlib
import os
import secrets
from functools import lru_cache
from pathlib import Path
from socket import gethostname

_CLONE = Path(__file__).resolve().parents[1]
_WHAT_RUNS_DEPEND_ON = ("journey", "contracts", "workflows")


@lru_cache(maxsize=1)
def build_id() -> str:
    """Eight characters of a hash over the source that decides what runs do."""
    digest = hashlib.sha256()
    for room in _WHAT_RUNS_DEPEND_ON:
        for path in sorted((_CLONE / room).rglob("*.py")):
            digest.update(path.relative_to(_CLONE).as_posix().encode() + b"\0")
            digest.update(path.read_bytes())
    return digest.hexdigest()[:8]


def process_name() -> str:
    """A name that no other process has, nor this one when it asks again: machine, process id, chance."""
    return f"{gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
