"""What programs outside are told of cases: which kind of thing happened, and the words that go out. Pure."""

from collections.abc import Mapping

from pydantic import JsonValue

KINDS: tuple[str, ...] = (
    *("opened", "claimed", "given", "let_go", "handed_over", "snoozed", "woke", "went_on"),
    *(
        "waits_for_the_customer",
        "noted",
        "asked_for_approval",
        "approved",
        "disapproved",
        "decided",
    ),
    *("reminded", "escalated", "taken_back", "expired", "closed", "reopened", "merged", "took_in"),
    *(
        "verified",
        "heard",
        "wrote",
        "mentioned_us",
        "wrote_to_the_customer",
        "undid_a_message",
        "sent",
    ),
    *("not_sent", "perhaps_not_sent", "held_back", "answered_in_public", "lacked"),
)
"""What may be asked for; what is not here goes to hooks that want everything."""

TEST = "test"
"""What a hook is told when it is tried."""

_GOES_OUT = frozenset(
    {"from", "to", "queue", "deadline", "by", "until", "how", "into", "case", "decision", "origin"}
)
"""Parts of what happened that hold ids and words of ours. What people wrote, and the fields of a decision, stay."""


def kind_of(did: str) -> str:
    """Of which kind it is: `decided refunded` is `decided`."""
    return "decided" if did.startswith("decided ") else did.replace(" ", "_")


def going_out(did: str, detail: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """What of it a program outside may know."""
    told: dict[str, JsonValue] = {
        name: value
        for name, value in detail.items()
        if name in _GOES_OUT and (value is None or isinstance(value, str | int | float))
    }
    if kind_of(did) == "decided":
        told["decision"] = did.removeprefix("decided ")
    return told
