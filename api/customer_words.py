"""The words of customers' own pages in their language, with dates and numbers as they write them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml
from whenever import Instant, ZonedDateTime

LANGUAGES = {"en": "English", "de": "Deutsch", "fr": "Français"}
"""Each by what its speakers call it; words live in `pages/words.LANGUAGE.yaml`."""

_FOLDER = Path(__file__).parent / "pages"
_SEPARATORS = {"en": (",", "."), "de": (".", ","), "fr": ("\u202f", ",")}
"""Between thousands, and before decimals."""

_NEAR = {-1: "yesterday", 0: "today", 1: "tomorrow"}


@dataclass(slots=True, frozen=True, kw_only=True)
class Words:
    """Speaks one language.

    Times are told in `zone`, which is the reader's own where we know it, and as seen from `now`.
    """

    language: str = "en"
    zone: str = "UTC"
    now: datetime | None = None

    def say(self, key: str, /, **values: object) -> str:
        """The words under a key, as text. Raises: `KeyError` where there are none."""
        return str(spoken(self.language)[key]).format_map(values)

    def html(self, key: str, /, **values: object) -> str:
        """The words under a key, ready for a page; what is put into them cannot become markup."""
        return escape(self.say(key, **values))

    def known(self, key: str, otherwise: str) -> str:
        """The words under a key, or these, where there are none."""
        return str(spoken(self.language).get(key, otherwise))

    def count(self, key: str, number: int, /, **values: object) -> str:
        """The words for so many."""
        few = number in (0, 1) if self.language == "fr" else number == 1
        how = "one" if few else "other"
        return self.say(f"{key}.{how}", count=self.number(number), **values)

    def number(self, value: float) -> str:
        """A number: 1,234.5 or 1.234,5."""
        thousands, decimal = _SEPARATORS[self.language]
        whole, _, rest = f"{value:,}".partition(".")
        text = whole.replace(",", thousands)
        return f"{text}{decimal}{rest}" if rest and rest != "0" else text

    def day(self, moment: datetime) -> str:
        """A date, in the reader's zone."""
        return self._told("date.day", self._local(moment))

    def date(self, day: date) -> str:
        """A date that is the same in every zone, such as a birthday."""
        return self.day(datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(self.zone)))

    def moment(self, moment: datetime) -> str:
        """A date with the time, in the reader's zone, which the page names once."""
        return self._told("date.moment", self._local(moment))

    def soon(self, moment: datetime) -> str:
        """A time near by as people say it: today at 14:00; farther away with its date."""
        if self.now is None:
            return self.moment(moment)
        local, today = self._local(moment), self._local(self.now).date()
        near = _NEAR.get((local.date().to_stdlib() - today.to_stdlib()).days)
        if near is not None:
            return self._told(f"date.{near}", local)
        return self._told("date.this_year" if local.year == today.year else "date.moment", local)

    def clock(self, at: time) -> str:
        """A time of day."""
        return self.say("date.clock", hour=f"{at.hour:02}", minute=f"{at.minute:02}")

    def _local(self, moment: datetime) -> ZonedDateTime:
        return Instant(moment).to_tz(self.zone)

    def _told(self, key: str, local: ZonedDateTime) -> str:
        spoken_here = spoken(self.language)
        return self.say(
            key,
            weekday=spoken_here["date.weekdays"][local.date().day_of_week().value - 1],
            day=local.day,
            month=spoken_here["date.months"][local.month - 1],
            year=local.year,
            hour=f"{local.hour:02}",
            minute=f"{local.minute:02}",
        )


ENGLISH = Words()


@lru_cache(maxsize=len(LANGUAGES))
def spoken(language: str) -> Mapping[str, Any]:
    """All words of a language by their key."""
    text = (_FOLDER / f"words.{language}.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(text)


def choose_language(*wished: object, accepted: str = "") -> str:
    """The first of the wished languages that we speak, else the browser's, else English."""
    for wish in wished:
        if isinstance(wish, str) and (spoken_one := _ours(wish)):
            return spoken_one
    ranked = sorted(_rank(part, place) for place, part in enumerate(accepted[:1_000].split(",")))
    told = (_ours(name) for weight, _, name in ranked if weight < 0)  # a weight of 0 is a no
    return next((found for found in told if found), "en")


def _rank(part: str, place: int) -> tuple[float, int, str]:
    name, _, weight = part.partition(";q=")
    known = re.fullmatch(r"[01](\.\d{0,3})?", weight.strip())
    return (-float(weight) if known else -1.0 if not weight else 0.0), place, name


def _ours(wish: str) -> str | None:
    """`de`, `de-AT` and `de_CH` are all German."""
    first = re.split(r"[-_]", wish.strip().lower()[:40], maxsplit=1)[0]
    return first if first in LANGUAGES else None
