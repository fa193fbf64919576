"""`/w/{page}`: where a customer's order or case stands, in their words, kept up to date by itself."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from html import escape
from typing import Protocol

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.customer_page import HEADERS, SCRIPT, SCRIPT_PATH, card, customer_page
from api.customer_words import Words
from api.preferences_page import channel_name
from api.reception import Reception, Visitor
from api.run_story import CustomerWords, customer_words, message_title
from api.status_events import Broadcast, LiveStatus
from journey.effects import PromiseRecord
from stores.run_standing import RunStanding

REFRESH_SECONDS = 60
"""Without a script the page is loaded again so often."""

_STATES = {"kept": "kept", "kept_late": "late", "late": "late", "broken": "broken"}


class Standings(Protocol):
    """Where it is read how runs stand."""

    async def of(self, entry: int) -> RunStanding | None: ...

    async def mark(self, entry: int) -> str:
        """A text that is another one once the page would be."""
        ...


def status_router(
    reception: Reception, standings: Standings, live: LiveStatus | None = None
) -> APIRouter:
    """The status page of a run, its events, and the script that listens to them."""
    router = APIRouter(tags=["customers' own pages"])
    broadcast = live or LiveStatus()

    async def own(visitor: Visitor) -> RunStanding | None:
        """The run of the link, where it is this customer's: also after two became one."""
        found = await standings.of(visitor.entry) if visitor.entry is not None else None
        if found is None or visitor.id in (found.customer, await reception.whoever(found.customer)):
            return found
        return None

    async def show(visitor: Visitor, request: Request) -> Response:
        del request
        standing = await own(visitor)
        if standing is None:
            return _unknown(visitor)
        return _page(visitor, standing, reception.now)

    async def events(visitor: Visitor, request: Request) -> Response:
        del request
        standing = await own(visitor)
        entry = visitor.entry
        if standing is None or entry is None:
            return Response(status_code=404, headers=HEADERS)

        async def news() -> dict[str, str] | None:
            told = await own(visitor)
            now = reception.now()
            return _news(replace(visitor.words, now=now), told, now) if told else None

        return broadcast.stream(Broadcast(mark=lambda: standings.mark(entry), news=news))

    async def script(request: Request) -> Response:
        del request
        headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "max-age=3600"}
        return Response(SCRIPT, media_type="text/javascript", headers=headers)

    ways = ("person", "preferences")
    router.add_route(SCRIPT_PATH, script, methods=["GET"])
    router.add_route("/w/{page}/events", reception.page("status", events, ()), methods=["GET"])
    reception.opens(router, "status")
    router.add_route("/w/{page}", reception.page("status", show, ways), methods=["GET"])
    return router


def _page(visitor: Visitor, standing: RunStanding, now: Callable[[], datetime]) -> Response:
    words, around = visitor.words, visitor.frame
    ended = standing.state == "finished"
    frame = replace(around, refresh_seconds=None if ended else REFRESH_SECONDS)
    news = _news(words, standing, now())
    live = "" if ended else f"{words.html('status.live')} "
    body = (
        f'<div id="standing">{news["middle"]}</div>'
        f'<p class="quiet" id="kept-up" role="status">{escape(news["said"])}</p>'
        f'<p class="quiet">{live}{words.html("times_in", zone=words.zone)}</p>'
    )
    return customer_page(news["title"], body, frame)


def _unknown(visitor: Visitor) -> Response:
    words = visitor.words
    body = f"<p>{words.html('status.unknown.words')}</p>"
    return customer_page(words.say("status.unknown.title"), body, visitor.frame, status=404)


def _news(words: Words, standing: RunStanding, now: datetime) -> dict[str, str]:
    """What changes on the page: its title, its middle, and what is said of the change."""
    told = customer_words(standing.canonical)
    title = told.stage(standing.stage) if standing.stage else words.say("status.begun")
    if standing.state == "finished":
        title = words.say("status.finished")
    key = f'<p class="lead">{words.html("status.key", key=standing.key)}</p>'
    middle = "".join(
        [
            key if standing.key else "",
            _people(words, standing),
            _next(words, standing, told),
            _promises(words, standing, told),
            _path(words, standing, told),
        ]
    )
    return {
        "title": title,
        "ended": "yes" if standing.state == "finished" else "",
        "middle": middle,
        "said": words.say("status.as_of", moment=words.soon(now)),
    }


def _people(words: Words, standing: RunStanding) -> str:
    if not standing.people or standing.state == "finished":
        return ""
    first = standing.people[0]
    since = words.html(f"status.person.{first.state}", moment=words.soon(first.since))
    by = ""
    if first.answer_by is not None:
        said = words.html("status.person.by", moment=words.soon(first.answer_by))
        by = f"<p>{said}</p>"
    return card(f"<h2>{words.html('status.person')}</h2><p>{since}</p>{by}", "person")


def _open(standing: RunStanding) -> list[PromiseRecord]:
    return sorted(
        (each for each in standing.promises if each.state == "open" and each.by),
        key=lambda each: each.by or each.at,
    )


def _next(words: Words, standing: RunStanding, told: CustomerWords) -> str:
    coming = _open(standing) if standing.state == "open" else []
    if not coming or coming[0].by is None:
        return ""
    by = words.html("status.by", moment=words.soon(coming[0].by))
    what = escape(told.promise(coming[0].name))
    return card(f'<h2>{words.html("status.next")}</h2><p class="big">{what}</p><p>{by}</p>', "next")


def _promises(words: Words, standing: RunStanding, told: CustomerWords) -> str:
    """What was promised, but for the next one, which has its own card; what was dropped is no promise."""
    first = _open(standing)[:1] if standing.state == "open" else []
    shown = [each for each in standing.promises if each.state != "dropped" and each not in first]
    if not shown:
        return ""
    rows = "".join(_promise(words, each, told) for each in shown)
    title = words.html("status.promised")
    return card(f'<h2>{title}</h2><ul class="plain">{rows}</ul>')


def _promise(words: Words, promise: PromiseRecord, told: CustomerWords) -> str:
    kind = _STATES.get(promise.state, "")
    state = f'<span class="state {kind}">{words.html(f"promise.{promise.state}")}</span>'
    when = ""
    if promise.state in ("kept", "kept_late"):
        when = words.html("status.kept", moment=words.soon(promise.at))
    elif promise.by is not None:
        due = "status.by" if promise.state == "open" else "status.was_due"
        when = words.html(due, moment=words.soon(promise.by))
    return (
        f'<li><div class="row"><p>{escape(told.promise(promise.name))}</p>{state}</div>'
        f'<p class="quiet">{when}</p></li>'
    )


def _path(words: Words, standing: RunStanding, told: CustomerWords) -> str:
    """What has happened, the newest first."""
    steps: list[tuple[datetime, int, str, str]] = [
        (each.at, 1, "stage", escape(told.stage(each.stage))) for each in standing.stages
    ]
    for each in standing.told:
        title = message_title(each.message, each.source)
        by = channel_name(words, each.channel) if each.channel else ""
        steps.append((each.at, 2, "", words.html("status.told", channel=by, title=title)))
    if standing.finished_at is not None:
        steps.append((standing.finished_at, 3, "stage", words.html("status.finished")))
    steps.sort(key=lambda step: step[:2])
    steps.reverse()
    if not steps:
        return ""
    now = next((place for place, step in enumerate(steps) if step[2] == "stage"), -1)
    rows = "".join(
        f'<li class="{kind}{" now" if place == now else ""}"><p>{said}</p>'
        f'<p class="quiet">{escape(words.soon(at))}</p></li>'
        for place, (at, _, kind, said) in enumerate(steps)
    )
    return card(f'<h2>{words.html("status.path")}</h2><ol class="path" reversed>{rows}</ol>')
