"""What we hold of a customer as one file: everything as JSON, and a table for each list.

A cell that a spreadsheet would take for a formula begins with an apostrophe.
"""

import base64
import csv
import io
import zipfile
from collections.abc import Mapping
from datetime import datetime, time
from typing import Any, cast

from stores.database import dump_json

FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""What a cell must not begin with: OWASP, CSV injection. The wide ones are taken for the others in East Asia."""

_BLANK = " \t\r\n\0\u00a0\u200b\ufeff"
"""What spreadsheets leave out before they look."""

_ABOUT = """What we hold about you
======================

everything.json   all of it, as programs read it
*.csv             the same, a table for each kind; a cell that began with = + - @ has an apostrophe before it
"""


def as_zip(export: Mapping[str, Any]) -> bytes:
    """The export as a zip; the same export gives the same bytes but for times in it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", _ABOUT)
        archive.writestr("everything.json", as_json(export))
        for name, rows in export.items():
            if isinstance(rows, list) and rows and isinstance(rows[0], dict):
                archive.writestr(f"{name}.csv", as_csv(cast("list[dict[str, Any]]", rows)))
        archive.writestr("traits.csv", as_csv([dict[str, Any](export["traits"])]))
    return packed.getvalue()


def as_json(export: Mapping[str, Any]) -> bytes:
    """The export as JSON; files as base64."""
    return dump_json(_plain(export))


def as_csv(rows: list[dict[str, Any]]) -> str:
    """Rows as a table, safe to be opened by a spreadsheet."""
    text = io.StringIO()
    writer = csv.writer(text)
    columns = list(rows[0])
    writer.writerow([safe(each) for each in columns])
    for row in rows:
        writer.writerow([safe(_cell(row[column])) for column in columns])
    return text.getvalue()


def safe(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    begins = cell.lstrip(_BLANK).startswith(FORMULA)
    return f"'{cell}" if begins or cell.startswith(("\t", "\r", "\n")) else cell


def _cell(value: Any) -> str:
    plain = _plain(value)
    if plain is None:
        return ""
    if isinstance(plain, bool):
        return "yes" if plain else "no"
    return plain if isinstance(plain, str) else dump_json(plain).decode()


def _plain(value: Any) -> Any:
    match value:
        case bytes():
            return base64.b64encode(value).decode()
        case datetime() | time():
            return value.isoformat()
        case dict():
            return {str(k): _plain(v) for k, v in cast("dict[Any, Any]", value).items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(each) for each in cast("list[Any]", value)]
        case _:
            return value
