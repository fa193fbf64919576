"""How sure it is that whoever is on the line of a case is the customer. Pure.

Proof is what only they could do: a link that was sent to them, or being verified while the case is at work. That a
call comes from a known number, or a mail from a known address, is a hint: numbers and senders are forged.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

VERIFIED_HOLDS = timedelta(hours=1)
"""So long before the case was opened somebody may have been verified, and still counts as proven."""

UNPROVEN_WAYS = frozenset({"staff", "mention", "customer"})
"""Ways in which a case comes without any proof; a journey is about its own customer."""

ASK_THEM = (
    "Nothing has proved who this is: personal facts are withheld. Verify them, and say by what."
)


@dataclass(slots=True, frozen=True, kw_only=True)
class Assured:
    """In words what proved them; empty where nothing did. `hint`: what only speaks for it."""

    words: str = ""
    hint: str = ""
    withheld: bool = False


@dataclass(slots=True, frozen=True, kw_only=True)
class Verified:
    """A member of staff verified them. `how`: by what."""

    at: datetime
    how: str


def assured(
    *,
    origin: str,
    asked: str | None,
    opened_at: datetime,
    verified: Sequence[Verified],
    led_by: Mapping[str, str],
) -> Assured:
    """What proves whoever a case came from. `asked`: how they asked for it on a page of their own."""
    latest = max(
        (each for each in verified if each.at >= opened_at - VERIFIED_HOLDS),
        key=lambda each: each.at,
        default=None,
    )
    if latest is not None:
        how = f" by {latest.how}" if latest.how else ""
        return Assured(words=f"verified{how} at {latest.at:%Y-%m-%d %H:%M} UTC")
    if asked is not None:
        return Assured(words="they asked on their own page, by a link that was sent to them only")
    hint = next(
        (
            f"it came from a known {led_by[kind]}, which is a hint, no proof"
            for kind in ("phone", "email")
            if kind in led_by
        ),
        "",
    )
    return Assured(hint=hint, withheld=origin in UNPROVEN_WAYS)
