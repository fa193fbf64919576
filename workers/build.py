"""The short name of this build: every event of a history carries it."""

import hashlib
from functools import lru_cache
from pathlib import Path

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
