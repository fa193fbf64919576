"""Searches that are kept under a name, with a file on time, and the files that were made."""

import re
from dataclasses import dataclass
from io import BytesIO
from typing import Protocol

from starlette.responses import Response

from console.control_door import number_of
from console.control_search import (
    EVERY,
    KEEPS_SEARCHES,
    SEES_ADDRESSES,
    WEEKDAYS,
    SearchPage,
    as_file,
    chunks,
    format_of,
)
from console.inbox_door import CONTROL, RefusedPageError, Visit, to
from stores.run_files import MOST_TRAITS, FileWanted
from stores.saved_searches import Download, Schedule, SearchNotKeptError


class SavedSearches(Protocol):
    """Where they are kept; `stores.saved_searches` says what each guarantees."""

    async def keep(self, name: str, wanted: FileWanted, schedule: Schedule, *, by: str) -> int: ...
    async def end(self, search: int, *, by: str) -> bool: ...
    async def give(self, file: int, *, by: str) -> Download | None: ...


@dataclass(slots=True, frozen=True, kw_only=True)
class SavedPage:
    """What the forms of kept searches do."""

    page: SearchPage
    saved: SavedSearches

    async def keep(self, visit: Visit) -> Response:
        """Keep what is searched for, with a file each day or week."""
        _may_keep(visit)
        choice = await self.page.chosen(visit)
        form = visit.form
        name = form.line("name", 80)
        if not name:
            return await self.page.page(visit, choice, wrong="Give the search a name.")
        wanted = FileWanted(
            runs=choice.wanted, format=format_of(visit), traits=form.lines("with", 200)[:MOST_TRAITS]
        )  # fmt: skip
        try:
            schedule = _schedule(visit)
            search = await self.saved.keep(name, wanted, schedule, by=visit.member.member)
        except SearchNotKeptError as error:
            return await self.page.page(visit, choice, wrong=str(error))
        return to(f"{CONTROL}/search?saved={search}")

    async def end(self, visit: Visit) -> Response:
        """Keep it no more, nor its files."""
        _may_keep(visit)
        search = number_of(visit.request.path_params["search"])
        if search is None or not await self.saved.end(search, by=visit.member.member):
            raise RefusedPageError(404, "There is no such search: it may have been ended.")
        return to(f"{CONTROL}/search")

    async def download(self, visit: Visit) -> Response:
        """A file that was made; it has where customers are reached."""
        if visit.member.role not in SEES_ADDRESSES:
            raise RefusedPageError(
                403, "These files have addresses: a lead, an editor or an admin downloads them."
            )
        file = number_of(visit.request.path_params["file"])
        given = await self.saved.give(file, by=visit.member.member) if file is not None else None
        if given is None:
            raise RefusedPageError(404, "There is no such file: it may not be kept any more.")
        called = re.sub(r"[^A-Za-z0-9]+", "-", given.name).strip("-") or "search"
        return as_file(
            f"{called}-{given.made_at:%Y-%m-%d}", given.format, chunks(BytesIO(given.content))
        )


def _may_keep(visit: Visit) -> None:
    if visit.member.role not in KEEPS_SEARCHES:
        raise RefusedPageError(403, "An editor or an admin keeps searches, and ends them.")


def _schedule(visit: Visit) -> Schedule:
    """Raises: `SearchNotKeptError`."""
    form = visit.form
    asked = form.line("every")
    hour, weekday = form.line("hour"), form.line("weekday") or "0"
    if asked not in EVERY or not re.fullmatch("[0-9]{1,2}", hour):
        raise SearchNotKeptError("Choose each day or each week, and an hour from 0 to 23.")
    if not re.fullmatch("[0-6]", weekday):
        raise SearchNotKeptError(f"Choose a day of the week: {', '.join(WEEKDAYS)}.")
    return Schedule(every=asked, hour=int(hour), weekday=int(weekday), zone=form.line("zone"))
