"""Forms as web clients send them: `multipart/form-data`, read within bounds (RFC 7578)."""

import re
from dataclasses import dataclass
from email import policy
from email.parser import BytesHeaderParser

MOST_FIELDS = 300
_LONGEST_HEAD = 8_192
_BOUNDARY = re.compile(r'multipart/form-data\s*;.*?boundary="?([^";\s,]{1,200})"?', re.IGNORECASE)


class FormError(ValueError):
    """This is no form; the message says what was expected."""


@dataclass(slots=True, frozen=True, kw_only=True)
class FormFile:
    """A file in a form. `told` is the type that the sender says it has."""

    name: str
    told: str
    content: bytes


def read_form(content_type: str, body: bytes) -> tuple[dict[str, bytes], list[FormFile]]:
    """The fields, of each the first, and the files. Raises: `FormError`."""
    found = _BOUNDARY.match(content_type.strip()[:1_000])
    if found is None or not found[1].isascii():
        raise FormError("expected a form: multipart/form-data with its boundary")
    delimiter = b"\r\n--" + found[1].encode()
    parts = (b"\r\n" + body).split(delimiter, MOST_FIELDS + 1)[1:]
    if not parts:
        raise FormError("expected a form: its boundary is not in it")
    fields: dict[str, bytes] = {}
    files: list[FormFile] = []
    for part in parts[:MOST_FIELDS]:
        if part.startswith(b"--"):
            break
        head, _, content = part.lstrip(b" \t").removeprefix(b"\r\n").partition(b"\r\n\r\n")
        if len(head) > _LONGEST_HEAD:
            continue
        name, file = _read_head(head, content)
        if file is not None:
            files.append(file)
        elif name is not None:
            fields.setdefault(name, content)
    return fields, files


def _read_head(head: bytes, content: bytes) -> tuple[str | None, FormFile | None]:
    try:
        part = BytesHeaderParser(policy=policy.compat32).parsebytes(head + b"\r\n\r\n")
        name = part.get_param("name", header="content-disposition")
        file = part.get_filename()
        told = part.get_content_type()
    except Exception:  # the standard library raises several kinds on what is no header
        return None, None
    if file is None:
        return (name if isinstance(name, str) else None), None
    return None, FormFile(name=file, told=told, content=content)
