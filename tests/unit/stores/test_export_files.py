"""An export as a customer opens it: a zip of JSON and tables that no spreadsheet carries out."""

import csv
import io
import json
import zipfile
from datetime import UTC, datetime

import pytest

from stores.export_files import as_zip, safe


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r"])
def test_a_cell_never_begins_as_a_formula(begin: str) -> None:
    assert safe(f"{begin}cmd|' /C calc'!A0").startswith("'")
    assert safe("Anna = fine") == "Anna = fine"


def test_the_zip_holds_everything_as_json_and_each_list_as_a_table() -> None:
    packed = as_zip(
        {
            "customer": "c_1",
            "traits": {"=name": "=1+1", "tags": ["a", "b"]},
            "messages": [
                {"at": datetime(2026, 11, 28, tzinfo=UTC), "subject": "@SUM(1)", "tried": {"a": 1}}
            ],
            "files": [{"content": b"\x00\x01", "read": None, "new": True}],
            "cut": [],
        }
    )

    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert set(archive.namelist()) == {
            "README.txt", "everything.json", "traits.csv", "messages.csv", "files.csv",
        }  # fmt: skip
        told = json.loads(archive.read("everything.json"))
        tables = {
            name: list(csv.reader(io.StringIO(archive.read(f"{name}.csv").decode())))
            for name in ("traits", "messages", "files")
        }
    assert told["traits"]["=name"] == "=1+1", "programs read it as it is"
    assert tables["traits"] == [["'=name", "tags"], ["'=1+1", '["a","b"]']]
    assert tables["messages"][1] == ["2026-11-28T00:00:00+00:00", "'@SUM(1)", '{"a":1}']
    assert tables["files"][1] == ["AAE=", "", "yes"]
