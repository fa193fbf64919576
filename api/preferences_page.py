"""`/p/{page}`: how a customer wants to be reached. What they never said stays unsaid."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from html import escape
from typing import Protocol

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.customer_form import Form, read_form
from api.customer_page import alert, card, customer_page, told
from api.customer_words import LANGUAGES, Words
from api.reception import Reception, Visitor
from journey.preferences import Preferences, Topic
from stores.customer_wishes import Wishes

PAUSES = (7, 30, 90)
"""For how many days one can pause."""

_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)(:00)?")


class WishKeeper(Protocol):
    """Where wishes are kept."""

    async def wishes(self, customer: str) -> Wishes: ...

    async def keep(
        self,
        customer: str,
        preferences: Preferences,
        marketing: Mapping[str, bool],
        *,
        source: str,
        proof: str,
    ) -> Wishes: ...


class Topics(Protocol):
    """What one may want to hear about; from the policy of the house."""

    async def topics(self) -> Sequence[Topic]: ...


class WrongWishError(ValueError):
    """Something that cannot be so; the message is the key of the words that say what."""


@dataclass(slots=True, frozen=True)
class Offered:
    """What the form has to choose from."""

    channels: Sequence[str]
    topics: Sequence[Topic] = ()


@dataclass(slots=True, frozen=True, kw_only=True)
class Filled:
    """How the form is filled in."""

    preferences: Preferences
    wanted: Mapping[str, bool] = field(default_factory=dict[str, bool])
    quiet: tuple[str, str] = ("", "")
    pause: str = "keep"


def preferences_router(
    reception: Reception,
    wishes: WishKeeper,
    channels: Sequence[str],
    topics: Topics | None = None,
) -> APIRouter:
    """The page of a customer's wishes; `channels` are those that marketing may use here."""
    router = APIRouter(tags=["customers' own pages"])

    async def offered() -> Offered:
        return Offered(channels, await topics.topics() if topics is not None else ())

    async def show(visitor: Visitor, request: Request) -> Response:
        del request
        held = await wishes.wishes(visitor.id)
        return _page(visitor, await offered(), _as_held(held, channels))

    async def keep(visitor: Visitor, request: Request) -> Response:
        form, choices = await read_form(request), await offered()
        before = (await wishes.wishes(visitor.id)).preferences
        try:
            wished = _read(form, choices, before, reception.now())
        except WrongWishError as error:
            filled = _as_filled(form, choices, before)
            return _page(visitor, choices, filled, wrong=f"{error}")
        kept = await wishes.keep(
            visitor.id,
            wished.preferences,
            wished.wanted,
            source="page",
            proof=f"preferences {visitor.proof}",
        )
        return _page(visitor, choices, _as_held(kept, channels), saved=True)

    ways = ("person",)
    reception.opens(router, "preferences")
    router.add_route("/p/{page}", reception.page("preferences", show, ways), methods=["GET"])
    router.add_route("/p/{page}", reception.page("preferences", keep, ways), methods=["POST"])
    return router


def _as_held(held: Wishes, channels: Sequence[str]) -> Filled:
    said = held.preferences
    quiet = tuple(f"{at:%H:%M}" if at else "" for at in (said.quiet_from, said.quiet_to))
    return Filled(
        preferences=said,
        wanted={channel: held.wants(channel) for channel in channels},
        quiet=(quiet[0], quiet[1]),
    )


def _as_filled(form: Form, offered: Offered, before: Preferences) -> Filled:
    return Filled(
        preferences=_chosen(form, offered, before),
        wanted=_wanted(form, offered),
        quiet=(form.line("quiet_from", 10), form.line("quiet_to", 10)),
        pause=form.line("pause", 10),
    )


def _wanted(form: Form, offered: Offered) -> dict[str, bool]:
    ticked = form.all("channel")
    return {channel: channel in ticked for channel in offered.channels}


def _chosen(form: Form, offered: Offered, before: Preferences) -> Preferences:
    """What was chosen from lists. What this page does not offer stays as it is."""
    ticked, locale = form.all("topic"), form.line("locale", 10)
    preferred = form.line("preferred", 40)
    topics = {topic.name for topic in offered.topics}
    on = {channel for channel, wanted in _wanted(form, offered).items() if wanted}
    return Preferences(
        preferred_channel=preferred if preferred in offered.channels else None,
        # A no is kept as a consent withdrawn, with its proof: a yes said elsewhere later may outweigh it.
        channels_off=before.channels_off - on,
        topics_off=before.topics_off - topics | {each for each in topics if each not in ticked},
        locale=locale if locale in LANGUAGES else None,
        paused_until=before.paused_until,
        quiet_from=before.quiet_from,
        quiet_to=before.quiet_to,
    )


def _read(form: Form, offered: Offered, before: Preferences, now: datetime) -> Filled:
    """What the customer wishes now. Raises: `WrongWishError`."""
    chosen = _chosen(form, offered, before)
    begins, ends = (_clock(form.line(name, 10)) for name in ("quiet_from", "quiet_to"))
    if (begins is None) != (ends is None):
        raise WrongWishError("preferences.quiet.half")
    if begins is not None and begins == ends:
        raise WrongWishError("preferences.quiet.same")
    pause = form.line("pause", 10)
    until = before.paused_until if pause == "keep" else None
    if pause.isdecimal() and int(pause) in PAUSES:
        until = now + timedelta(days=int(pause))
    return Filled(
        wanted=_wanted(form, offered),
        preferences=Preferences(
            preferred_channel=chosen.preferred_channel,
            channels_off=chosen.channels_off,
            topics_off=chosen.topics_off,
            quiet_from=begins,
            quiet_to=ends,
            paused_until=until,
            locale=chosen.locale,
        ),
    )


def _clock(text: str) -> time | None:
    if not text:
        return None
    found = _CLOCK.fullmatch(text)
    if found is None:
        raise WrongWishError("preferences.quiet.unreadable")
    return time(int(found[1]), int(found[2]))


# -- how it looks


def _page(
    visitor: Visitor, offered: Offered, filled: Filled, *, wrong: str = "", saved: bool = False
) -> Response:
    words, said = visitor.words, filled.preferences
    parts = [
        told(words.say("preferences.saved")) if saved else "",
        alert(words.say(wrong)) if wrong else "",
        f'<p class="lead">{words.html("preferences.lead")}</p><form method="post">',
        _channels(words, offered, filled),
        _topics(words, offered.topics, said),
        _pause(words, filled),
        _quiet(words, filled),
        _reading(words, offered.channels, said),
        f'<button type="submit">{words.html("preferences.save")}</button></form>',
    ]
    title = words.say("preferences.title")
    return customer_page(title, "".join(parts), visitor.frame, status=400 if wrong else 200)


def channel_name(words: Words, channel: str) -> str:
    """What a channel is called, as text."""
    return words.known(f"channel.{channel}", channel.replace("-", " ").replace("_", " "))


def _switches(legend: str, hint: str, name: str, each: Mapping[str, tuple[str, bool]]) -> str:
    rows = "".join(
        f'<label class="switch"><span>{escape(said)}</span><input type="checkbox" name="{name}"'
        f' value="{escape(value)}"{" checked" if on else ""}></label>'
        for value, (said, on) in each.items()
    )
    return card(f'<fieldset><legend>{legend}</legend><p class="quiet">{hint}</p>{rows}</fieldset>')


def _channels(words: Words, offered: Offered, filled: Filled) -> str:
    each = {
        channel: (channel_name(words, channel), filled.wanted.get(channel, True))
        for channel in offered.channels
    }
    legend, hint = words.html("preferences.channels"), words.html("preferences.channels.hint")
    return _switches(legend, hint, "channel", each)


def _topics(words: Words, topics: Sequence[Topic], said: Preferences) -> str:
    if not topics:
        return ""
    each = {
        topic.name: (topic.title(words.language), topic.name not in said.topics_off)
        for topic in topics
    }
    legend, hint = words.html("preferences.topics"), words.html("preferences.topics.hint")
    return _switches(legend, hint, "topic", each)


def _pause(words: Words, filled: Filled) -> str:
    options = {"": words.say("preferences.pause.none")}
    until = filled.preferences.paused_until
    if until is not None:
        options["keep"] = words.say("preferences.pause.until", day=words.day(until))
    options |= {f"{days}": words.count("preferences.pause.days", days) for days in PAUSES}
    chosen = filled.pause if filled.pause in options else ""
    select = _select("pause", words.html("preferences.pause.label"), options, chosen)
    return card(f"<h2>{words.html('preferences.pause')}</h2>{select}")


def _quiet(words: Words, filled: Filled) -> str:
    inputs = "".join(
        f'<div class="field"><label for="{name}">{words.html(f"preferences.{name}")}</label>'
        f'<input type="time" id="{name}" name="{name}" value="{escape(value)}"></div>'
        for name, value in zip(("quiet_from", "quiet_to"), filled.quiet, strict=True)
    )
    hint = words.html("preferences.quiet.hint", zone=words.zone)
    return card(
        f'<fieldset><legend>{words.html("preferences.quiet")}</legend><p class="quiet">{hint}</p>'
        f'<div class="pair">{inputs}</div></fieldset>'
    )


def _reading(words: Words, channels: Sequence[str], said: Preferences) -> str:
    no = words.say("preferences.no_choice")
    preferred = {"": no} | {channel: channel_name(words, channel) for channel in channels}
    by = _select("preferred", words.html("preferences.by"), preferred, said.preferred_channel or "")
    language = _select(
        "locale", words.html("preferences.language"), {"": no, **LANGUAGES}, said.locale or ""
    )
    return card(f"<h2>{words.html('preferences.reading')}</h2>{by}{language}")


def _select(name: str, label: str, options: Mapping[str, str], chosen: str) -> str:
    each = "".join(
        f'<option value="{escape(value)}"{" selected" if value == chosen else ""}>'
        f"{escape(said)}</option>"
        for value, said in options.items()
    )
    return (
        f'<div class="field"><label for="{name}">{label}</label>'
        f'<select id="{name}" name="{name}">{each}</select></div>'
    )
