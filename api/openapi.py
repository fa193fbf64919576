"""The OpenAPI document: made of the table of doors, served at /openapi.json, published as docs/openapi.json.

`python -m api.openapi > docs/openapi.json` publishes it anew.
"""

# ruff: noqa: E501 -- a table: one line each

import json
import re
from functools import cache
from typing import Any

from api.doors import DOORS, Door
from api.named_customer import HEADER
from api.request_body import DEPTH
from journey.staff_roles import ROLES

_ANY = {"type": "object"}
_TEXT = {"type": "string", "minLength": 1, "maxLength": 200}
_PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")
_REFUSED = (400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 503)

_SCHEMAS: dict[str, Any] = {
    "Refusal": {
        "type": "object",
        "required": ["success", "code", "message"],
        "properties": {
            "success": {"const": False},
            "code": {"type": "string", "description": "For programs; it stays."},
            "message": {"type": "string", "description": "For people: the place and the remedy."},
        },
    },
    "Detail": {"type": "object", "required": ["detail"]},
    "Unknown": {"type": "object", "required": ["known", "suggestions"]},
    "Message": {
        "type": "object",
        "description": f"A message of Segment's; at most 32 KB and {DEPTH} levels.",
        "properties": {
            "event": {"type": "string"},
            "userId": {"type": ["string", "null"]},
            "anonymousId": {"type": ["string", "null"]},
            "messageId": {"type": "string"},
            "timestamp": {"type": "string", "format": "date-time"},
            "properties": _ANY,
            "traits": _ANY,
            "context": _ANY,
        },
    },
    "Batch": {
        "type": "object",
        "required": ["batch"],
        "properties": {"batch": {"type": "array", "items": {"$ref": "#/components/schemas/Message"}}},
    },
    "CloudEvent": {
        "type": "object",
        "required": ["specversion", "id", "source", "type"],
        "properties": {
            "specversion": {"const": "1.0"}, "id": {"type": "string"},
            "source": {"type": "string"}, "type": {"type": "string"},
            "subject": {"type": "string"}, "data": {},
        },
    },
    "Device": {
        "type": "object",
        "properties": {
            "channel": {"enum": ["push", "webpush"]}, "token": {"type": "string"},
            "platform": {"type": "string"}, "endpoint": {"type": "string"}, "keys": _ANY,
        },
    },
}  # fmt: skip
_ONE_JSON = {"message": "Message", "batch": "Batch", "device": "Device"}

_SECURITY: dict[str, Any] = {
    "opened": {"type": "apiKey", "in": "cookie", "name": "__Host-clew-page", "description": "What the link of a message opened, for a while. Behind the name stand the kind and the page, as `-d-PAGE`; by http it begins `clew-page`."},
    "inboxToken": {"type": "http", "scheme": "bearer", "description": "The token of one customer's inbox; it ends after a day."},
    "session": {"type": "apiKey", "in": "cookie", "name": "__Host-clew-staff", "description": "A member of staff who is signed in; by http `clew-staff`."},
    "writeKey": {"type": "http", "scheme": "basic", "description": "The write key as user name; or as bearer; or `writeKey` in the body."},
    "staffToken": {"type": "http", "scheme": "bearer", "description": f"A token of staff, of a role: {', '.join(ROLES)}."},
    "inboundSecret": {"type": "http", "scheme": "basic", "description": "CLEW_INBOUND_SECRET as password."},
}  # fmt: skip
_PROVED = {
    "opened": "opened",
    "inbox_token": "inboxToken",
    "session": "session",
    "write_key": "writeKey",
    "devices_key": "writeKey",
    "staff": "staffToken",
    "inbound_secret": "inboundSecret",
}


@cache
def openapi_document() -> dict[str, Any]:
    """The whole document, made once."""
    paths: dict[str, dict[str, Any]] = {}
    for door in DOORS:
        at = _PARAMETER.sub(r"{\1}", door.path)
        paths.setdefault(at, {})[door.method.lower()] = _operation(door)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Clew",
            "version": "1",
            "description": "Every door of the API. Whatever is refused says why, and what to do.",
        },
        "paths": paths,
        "components": {"schemas": _SCHEMAS, "securitySchemes": _SECURITY},
    }


def _operation(door: Door) -> dict[str, Any]:
    told: dict[str, Any] = {
        "summary": door.says,
        "operationId": _name(door),
        "tags": [door.proof.replace("_", " ")],
        "parameters": [
            *({"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in _PARAMETER.findall(door.path)),
            *({"name": name, "in": "query", "schema": {"type": "string"}} for name in door.query),
            *({"name": name, "in": "header", "schema": {"type": "string"}} for name in _headers(door)),
        ],
        "responses": _responses(door),
    }  # fmt: skip
    if door.proof in _PROVED:
        told["security"] = [{_PROVED[door.proof]: []}]
    if door.role:
        told["x-role"] = door.role
    body = _body(door)
    if body:
        told["requestBody"] = {"required": True, "content": body}
    return told


def _headers(door: Door) -> tuple[str, ...]:
    """Where the path names a customer, `-` may stand there, and the header says who."""
    return (*door.headers, *((HEADER,) if "{identity" in door.path else ()))


def _name(door: Door) -> str:
    return re.sub(r"\W+", "_", f"{door.method} {door.path}").strip("_").lower()


def _body(door: Door) -> dict[str, Any]:
    if door.fields or door.optional:
        named = dict.fromkeys(door.fields, _TEXT) | {name: {} for name in door.optional}
        whole = {"type": "object", "required": list(door.fields), "properties": named}
        return {"application/json": {"schema": {**whole, "additionalProperties": False}}}
    if door.taken in _ONE_JSON:
        name = _ONE_JSON[door.taken]
        return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}
    event = {"$ref": "#/components/schemas/CloudEvent"}
    bodies: dict[str, dict[str, Any]] = {
        "events": {
            "application/cloudevents+json": {"schema": event},
            "application/cloudevents-batch+json": {"schema": {"type": "array", "items": event}},
        },
        "form": {"application/x-www-form-urlencoded": {"schema": _ANY}},
        "mail": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        "report": {"application/json": {"schema": {}}},
    }
    return bodies.get(door.taken, {})


def _responses(door: Door) -> dict[str, Any]:
    if door.page:
        html = {"text/html": {"schema": {"type": "string"}}}
        more: dict[str, Any] = {"text/event-stream": {}, "application/json": {}, "text/plain": {}}
        if "/search/file" in door.path:
            more |= {"text/csv": {}, "application/vnd.apache.parquet": {}}
        fine: dict[str, Any] = {
            "description": "The page, or what it leads to.",
            "content": {**html, **more},
        }
        refused = {"description": "A page that says why not.", "content": html}
    else:
        written = {"application/json": {"schema": _ANY}}
        other: dict[str, Any] = {name: {} for name in _other_answers(door)}
        fine = {"description": "Done.", "content": other or written}
        refusals = [
            {"$ref": f"#/components/schemas/{name}"} for name in ("Refusal", "Detail", "Unknown")
        ]
        refused = {
            "description": "Refused, in words.",
            "content": {"application/json": {"schema": {"anyOf": refusals}}},
        }
    if 204 in door.answers or 302 in door.answers:
        fine = {"description": "Done."}
    return {
        **{str(status): refused for status in (*_REFUSED, *((410,) if door.page else ()))},
        **{str(status): fine for status in door.answers if status != 303},
        **({"303": {"description": "Done; the page says so."}} if 303 in door.answers else {}),
    }


def _other_answers(door: Door) -> tuple[str, ...]:
    if door.path.endswith("/stream"):
        return ("text/event-stream",)
    if "/files/" in door.path:
        return ("application/octet-stream",)
    if door.path.endswith(".js"):
        return ("text/javascript", "application/javascript")
    if door.path.startswith("/staff/static/"):
        return ("text/css", "text/javascript", "application/javascript")
    return (
        ("application/json", "text/xml", "text/plain") if door.kind in ("twilio", "slack") else ()
    )


if __name__ == "__main__":
    print(json.dumps(openapi_document(), indent=1, ensure_ascii=False))  # noqa: T201 -- it is the file
