"""One thing that `clew doctor` looked at."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "optional", "missing", "wrong"]


@dataclass(slots=True, frozen=True, kw_only=True)
class Finding:
    """What was looked at and what was found.

    `optional` things are missing without harm to an installation; `missing` ones are not there, and
    what is `wrong` is there and not as it must be: both are exit code 1.
    """

    what: str
    state: State
    words: str
    remedy: str = ""

    @classmethod
    def judged(
        cls, what: str, words: str, *, wrong: bool, remedy: str, other: State = "wrong"
    ) -> "Finding":
        """As it must be, or wrong, or what `other` calls it; the remedy is told only then."""
        return cls(
            what=what,
            state=other if wrong else "ok",
            words=words,
            remedy=remedy if wrong else "",
        )
