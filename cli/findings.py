"""One thing that `clew doctor` looked at."""

from dataclasses import dataclass
from typing import Literal


@dataclass(slots=True, frozen=True, kw_only=True)
class Finding:
    """What was looked at and what was found.

    `optional` things are missing without harm to an installation; `missing` ones are not there, and
    what is `wrong` is there and not as it must be: both are exit code 1.
    """

    what: str
    state: Literal["ok", "optional", "missing", "wrong"]
    words: str
    remedy: str = ""
