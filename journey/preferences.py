"""What a customer told us of how they want to be reached."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time


@dataclass(slots=True, frozen=True, kw_only=True)
class Preferences:
    """As the customer set them; what they never said is empty.

    `channels_off` and `topics_off` are of marketing. Quiet hours are in the customer's own zone,
    may pass midnight, and need both ends. Until `paused_until` marketing waits.
    """

    preferred_channel: str | None = None
    channels_off: frozenset[str] = frozenset()
    topics_off: frozenset[str] = frozenset()
    quiet_from: time | None = None
    quiet_to: time | None = None
    paused_until: datetime | None = None
    locale: str | None = None


@dataclass(slots=True, frozen=True, kw_only=True)
class Topic:
    """Something that customers may want to hear about or not. `titles` by locale, such as `de`."""

    name: str
    titles: Mapping[str, str] = field(default_factory=dict[str, str])

    def title(self, locale: str) -> str:
        """What it is called in a language; else in English, in any, or by its name in plain letters."""
        known = self.titles
        plain = self.name.replace("-", " ").capitalize()
        return known.get(locale) or known.get("en") or next(iter(known.values()), plain)
