"""The inbox of staff under `/staff`: which page is behind which door."""

from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from console.inbox_acts import Acts
from console.inbox_case import CasePage
from console.inbox_door import AT, HEADERS, InboxDoor
from console.inbox_figures import FiguresPage
from console.inbox_list import ListPage
from console.inbox_live import LivePage
from console.inbox_login import Login
from console.inbox_new import NewCasePage
from console.inbox_problems import ProblemsPage
from console.inbox_replies import RepliesPage
from console.inbox_second_factor import SecondFactorPage
from console.inbox_sessions import SessionsPage

_STATIC = Path(__file__).parent / "static"
FILES = {
    "inbox.css": "text/css",
    "inbox.js": "text/javascript",
    "inbox-keys.js": "text/javascript",
}


@dataclass(slots=True, frozen=True, kw_only=True)
class Inbox:
    """All pages of the inbox."""

    door: InboxDoor
    login: Login
    second_factor: SecondFactorPage
    sessions: SessionsPage
    lists: ListPage
    case: CasePage
    acts: Acts
    live: LivePage
    replies: RepliesPage
    new: NewCasePage
    problems: ProblemsPage
    figures: FiguresPage


def inbox_router(inbox: Inbox) -> APIRouter:
    """The routes."""
    router, door = APIRouter(tags=["inbox"], include_in_schema=False), inbox.door
    router.add_route(f"{AT}/static/{{file}}", _file, methods=["GET"])
    router.add_route(f"{AT}/login", inbox.login.page, methods=["GET"])
    router.add_route(f"{AT}/login", inbox.login.sign_in, methods=["POST"])
    router.add_route(f"{AT}/login/code", inbox.second_factor.ask, methods=["GET"])
    router.add_route(f"{AT}/login/code", inbox.second_factor.take, methods=["POST"])
    router.add_route(f"{AT}/openid", inbox.login.to_provider, methods=["GET"])
    router.add_route(f"{AT}/openid/answer", inbox.login.from_provider, methods=["GET"])
    router.add_route(f"{AT}/logout", door.for_staff(inbox.login.sign_out), methods=["POST"])
    router.add_route(f"{AT}/sessions", door.for_staff(inbox.sessions.show), methods=["GET"])
    router.add_route(f"{AT}/sessions/{{act}}", door.for_staff(inbox.sessions.do), methods=["POST"])
    router.add_route(
        f"{AT}/histories", door.for_staff(inbox.sessions.to_histories), methods=["GET"]
    )
    router.add_route(AT, door.for_staff(inbox.lists.show), methods=["GET"])
    router.add_route(f"{AT}/search", door.for_staff(inbox.lists.search), methods=["POST"])
    router.add_route(f"{AT}/views", door.for_staff(inbox.lists.keep), methods=["POST"])
    router.add_route(f"{AT}/events", door.for_staff(inbox.live.events), methods=["GET"])
    router.add_route(f"{AT}/replies", door.for_staff(inbox.replies.show), methods=["GET"])
    router.add_route(
        f"{AT}/replies", door.for_staff(inbox.replies.keep, works=True), methods=["POST"]
    )
    router.add_route(f"{AT}/new", door.for_staff(inbox.new.show, works=True), methods=["GET"])
    router.add_route(f"{AT}/new", door.for_staff(inbox.new.open, works=True), methods=["POST"])
    router.add_route(f"{AT}/figures", door.for_staff(inbox.figures.show), methods=["GET"])
    router.add_route(f"{AT}/problems", door.for_staff(inbox.problems.several), methods=["GET"])
    router.add_route(
        f"{AT}/problems/{{problem}}", door.for_staff(inbox.problems.one), methods=["GET"]
    )
    router.add_route(
        f"{AT}/problems/{{problem}}/{{act}}",
        door.for_staff(inbox.problems.do, works=True),
        methods=["POST"],
    )
    router.add_route(
        f"{AT}/case/{{case:path}}/file",
        door.for_staff(inbox.case.file),
        methods=["GET"],
    )
    router.add_route(
        f"{AT}/case/{{case:path}}/{{act}}",
        door.for_staff(inbox.acts.do, works=True),
        methods=["POST"],
    )
    router.add_route(f"{AT}/case/{{case:path}}", door.for_staff(inbox.case.show), methods=["GET"])
    return router


async def _file(request: Request) -> Response:
    name = request.path_params["file"]
    if name not in FILES:
        raise HTTPException(404)
    headers = {**HEADERS, "Cache-Control": "no-cache"}
    return FileResponse(_STATIC / name, media_type=FILES[name], headers=headers)
