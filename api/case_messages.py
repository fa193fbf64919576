"""`/v1/cases/{case}/messages`: what staff write to a customer from a case, with ten seconds to undo it."""

import base64
import binascii
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol, cast

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from activities.message_channel import Attachment
from api.acting_staff import ActingStaff
from api.case_refusals import in_words, present_case
from api.refusals import json_response
from api.staff_key import StaffKeyCheck
from api.told_object import bad_request, object_of, read_object_of, text_of
from stores.case_messages import (
    LONGEST_SUBJECT,
    LONGEST_TEXT,
    CaseMessage,
    Letter,
    UnknownMessageError,
)
from stores.case_rows import Case

LARGEST_BODY = 16_000_000
"""Bytes: files travel in base64 inside JSON."""

LONGEST_NUMBER = 18
_WRITTEN = ("by", "text", "subject", "template", "values", "channel", "files", "once")
_LONGEST = {
    "text": LONGEST_TEXT, "subject": LONGEST_SUBJECT, "template": 200, "channel": 40, "once": 200,
}  # fmt: skip


class Writer(Protocol):
    """Where staff write from; `stores.case_messages.CaseWriter` says what each guarantees."""

    async def named(self, name: str) -> Case | None: ...

    async def messages(self, case: str) -> list[CaseMessage]: ...

    async def write(self, case: str, by: str, letter: Letter) -> CaseMessage: ...

    async def undo(self, case: str, message: int, by: str) -> CaseMessage: ...

    async def answered_in_public(
        self, case: str, by: str, *, link: str, words: str = ""
    ) -> None: ...


@dataclass(slots=True, frozen=True)
class CaseMessageDoors:
    """Read, write, undo, and note an answer in public."""

    writer: Writer
    acting: ActingStaff

    async def several(self, request: Request) -> Response:
        """What was written from a case, the oldest first."""
        case = await present_case(self.writer, request)
        found = await self.writer.messages(case.case)
        return json_response({"messages": [asdict(each) for each in found]})

    async def write(self, request: Request) -> Response:
        """`{"by", "text", "subject", "channel", "files", "once"}`, or `{"by", "template", "values"}`: 201."""
        said = await read_object_of(request, _WRITTEN, LARGEST_BODY)
        letter, case = _letter(said), await present_case(self.writer, request)
        by = (await self.acting.actor(request, said)).by
        return json_response(asdict(await self.writer.write(case.case, by, letter)), 201)

    async def undo(self, request: Request) -> Response:
        """`{"by"}`: a message that has not left leaves not."""
        said = await read_object_of(request, ("by",))
        case = await present_case(self.writer, request)
        by = (await self.acting.actor(request, said)).by
        asked = request.path_params["message"]
        if not (asked.isascii() and asked.isdigit() and len(asked) <= LONGEST_NUMBER):
            raise UnknownMessageError(f"there is no message {asked[:40]!r} of this case")
        return json_response(asdict(await self.writer.undo(case.case, int(asked), by)))

    async def answered(self, request: Request) -> Response:
        """`{"by", "link", "words"}`: they were answered by hand where they spoke."""
        said = await read_object_of(request, ("by", "link", "words"))
        link = text_of(said, "link", most=2_000)
        words = text_of(said, "words", most=10_000, default="")
        case = await present_case(self.writer, request)
        by = (await self.acting.actor(request, said)).by
        await self.writer.answered_in_public(case.case, by, link=link, words=words)
        return json_response({"success": True})


def case_messages_router(writer: Writer, acting: ActingStaff, staff: StaffKeyCheck) -> APIRouter:
    """Comes before the router of cases, whose paths take all."""
    router, doors = APIRouter(tags=["staff"]), CaseMessageDoors(writer, acting)

    def add(path: str, door: Callable[[Request], Awaitable[Response]], method: str) -> None:
        router.add_route(
            f"/v1/cases/{{case:path}}/{path}", staff.behind(in_words(door)), methods=[method]
        )

    add("messages", doors.several, "GET")
    add("messages", doors.write, "POST")
    add("messages/{message}/undo", doors.undo, "POST")
    add("answered", doors.answered, "POST")
    return router


def _letter(said: dict[str, Any]) -> Letter:
    told = {
        name: text_of(said, name, most=most)
        for name, most in _LONGEST.items()
        if said.get(name) is not None
    }
    try:
        return Letter(**told, values=object_of(said, "values"), files=_files(said))
    except ValueError as error:
        raise bad_request(str(error)) from None


def _files(said: dict[str, Any]) -> Sequence[Attachment]:
    given = said.get("files", [])
    if not isinstance(given, list):
        raise bad_request('files: expected [{"name": …, "media_type": …, "content": base64}]')
    files: list[Attachment] = []
    for each in cast("list[object]", given):
        if not isinstance(each, dict):
            raise bad_request("files: expected objects")
        file = cast("dict[str, Any]", each)
        try:
            content = base64.b64decode(text_of(file, "content", most=LARGEST_BODY), validate=True)
        except (binascii.Error, ValueError):
            raise bad_request("files: content is not base64") from None
        name, kind = text_of(file, "name", most=200), text_of(file, "media_type", most=200)
        files.append(Attachment(name=name, media_type=kind, content=content))
    return files
