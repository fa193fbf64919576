"""What the gate asks of channels: that no journey waits for one that no installation can have."""

from collections.abc import Iterator
from difflib import get_close_matches

from journey.channels import CHANNELS, WAYS, WHERE_THEY_CAME
from journey.program import Path, Program


def channel_faults(program: Program) -> Iterator[tuple[Path, str, str]]:
    """Faults of what `via` names: path, message, remedy."""
    for node in program.nodes.values():
        via: list[str] = getattr(node.step, "via", None) or []
        for index, channel in enumerate(via):
            if channel not in WAYS:
                yield (
                    (*node.path, "via", index),
                    f"there is no channel {channel!r}",
                    _remedy(channel),
                )


def _remedy(channel: str) -> str:
    known = f"the channels are {', '.join(CHANNELS)}, and {WHERE_THEY_CAME}"
    close = get_close_matches(channel, WAYS, n=1, cutoff=0.6)
    return f"did you mean {close[0]}? {known}" if close else known
