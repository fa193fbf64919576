"""`/v1/cases/{case}/messages`: what staff write to a customer from a case, with ten seconds to undo it."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Protocol, cast

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from activities.message_channel import Attachment
from activities.staff_cases import UnknownCaseError
from api.refusals import RefusedRequestError, json_response
from api.request_body import UnacceptableValueError, check_values, read_body, read_json
from api.staff_key import StaffKeyCheck
from stores.case_decisions import CaseAlreadyDecidedError, CaseClosedError, NotYoursError
from stores.case_messages import CaseMessage, Letter, TooLateError, UnknownMessageError
from stores.case_rows import Case

LARGEST_BODY = 16_000_000
"""Bytes: files travel in base64 inside JSON."""

_WRITTEN = ("by", "text", "subject", "template", "values", "channel", "files", "once")
_LONGEST = 200


class Writer(Protocol):
    """Where staff write from; `stores.case_messages.CaseWriter` says what each guarantees."""

    async def named(self, name: str) -> Case | None: ...

    async def messages(self, case: str) -> list[CaseMessage]: ...

    async def write(self, case: str, by: str, letter: Letter) -> CaseMessage: ...

    async def undo(self, case: str, message: int, by: str) -> CaseMessage: ...

    async def answered_in_public(
        self, case: str, by: str, *, link: str, words: str = ""
    ) -> None: ...


def case_messages_router(writer: Writer, staff: StaffKeyCheck) -> APIRouter:
    """Read, write, undo, and note an answer in public. Comes before the router of cases, whose paths take all."""
    router = APIRouter(tags=["staff"])

    async def several(request: Request) -> Response:
        case = await _present(writer, request)
        return json_response({"messages": [asdict(each) for each in await writer.messages(case)]})

    async def write(request: Request) -> Response:
        asked = await _asked(request, _WRITTEN)
        letter, by = _letter(asked), _text(asked, "by")
        case = await _present(writer, request)
        try:
            written = await writer.write(case, by, letter)
        except Exception as error:
            raise _refused(error) from None
        return json_response(asdict(written), 201)

    async def undo(request: Request) -> Response:
        by = _text(await _asked(request, ("by",)), "by")
        case, message = await _present(writer, request), request.path_params["message"]
        try:
            return json_response(asdict(await writer.undo(case, min(message, 2**62), by)))
        except Exception as error:
            raise _refused(error) from None

    async def answered(request: Request) -> Response:
        asked = await _asked(request, ("by", "link", "words"))
        by, link = _text(asked, "by"), _text(asked, "link", 2_000)
        words = _text(asked, "words", 10_000) if asked.get("words") else ""
        case = await _present(writer, request)
        try:
            await writer.answered_in_public(case, by, link=link, words=words)
        except Exception as error:
            raise _refused(error) from None
        return json_response({"success": True})

    path = "/v1/cases/{case:path}/messages"
    router.add_route(path, staff.behind(several), methods=["GET"])
    router.add_route(path, staff.behind(write), methods=["POST"])
    router.add_route(f"{path}/{{message:int}}/undo", staff.behind(undo), methods=["POST"])
    router.add_route("/v1/cases/{case:path}/answered", staff.behind(answered), methods=["POST"])
    return router


async def _present(writer: Writer, request: Request) -> str:
    name = request.path_params["case"]
    case = await writer.named(name)
    if case is None:
        raise RefusedRequestError(404, "unknown_case", f"there is no case {name[:200]!r}")
    return case.case


def _refused(error: Exception) -> Exception:
    match error:
        case UnknownCaseError():
            return RefusedRequestError(404, "unknown_case", str(error))
        case UnknownMessageError():
            return RefusedRequestError(404, "unknown_message", str(error))
        case TooLateError():
            return RefusedRequestError(409, "too_late", str(error))
        case NotYoursError():
            return RefusedRequestError(409, "not_yours", str(error))
        case CaseAlreadyDecidedError() | CaseClosedError():
            return RefusedRequestError(409, "not_open", str(error))
        case _:
            return error


async def _asked(request: Request, known: Sequence[str]) -> dict[str, Any]:
    order, sure = read_json(await read_body(request, LARGEST_BODY))
    if not isinstance(order, dict):
        raise _bad("expected a JSON object")
    read = cast("dict[str, Any]", order)
    for field in read:
        if field not in known:
            raise _bad(f"{field[:60]}: is not known here; known are {', '.join(known)}")
    try:
        check_values(read, "message", sure=sure)
    except UnacceptableValueError as error:
        raise _bad(str(error)) from None
    return read


def _text(asked: Mapping[str, Any], field: str, most: int = _LONGEST) -> str:
    value = asked.get(field)
    if not isinstance(value, str) or not 1 <= len(value) <= most:
        raise _bad(f"{field}: expected text of 1 to {most} characters")
    return value


def _letter(asked: Mapping[str, Any]) -> Letter:
    values = asked.get("values", {})
    if not isinstance(values, dict):
        raise _bad("values: expected a JSON object")
    told: dict[str, Any] = {
        field: _text(asked, field, most)
        for field, most in (
            ("text", 50_000), ("subject", 500), ("template", 200), ("channel", 40), ("once", 200),
        )
        if asked.get(field) is not None
    }  # fmt: skip
    try:
        return Letter(**told, values=cast("dict[str, Any]", values), files=_files(asked))
    except ValueError as error:
        raise _bad(str(error)) from None


def _files(asked: Mapping[str, Any]) -> list[Attachment]:
    given = asked.get("files", [])
    if not isinstance(given, list):
        raise _bad('files: expected [{"name": …, "media_type": …, "content": base64}]')
    files: list[Attachment] = []
    for each in cast("list[object]", given):
        if not isinstance(each, dict):
            raise _bad("files: expected objects")
        file = cast("dict[str, Any]", each)
        content = _text(file, "content", LARGEST_BODY)
        try:
            read = base64.b64decode(content, validate=True)
        except (binascii.Error, ValueError):
            raise _bad("files: content is not base64") from None
        name, kind = _text(file, "name"), _text(file, "media_type")
        files.append(Attachment(name=name, media_type=kind, content=read))
    return files


def _bad(message: str) -> RefusedRequestError:
    return RefusedRequestError(400, "bad_request", message)
