"""Recordings are read line by line, and what cannot be read is told with its place."""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.touchpoint_import import read_line
from insight.recorded_touchpoints import Recorded, Unread, read_cdnow, read_file

AT = "2026-03-02T10:00:00Z"


def written(folder: Path, *lines: object) -> Path:
    path = folder / "past.jsonl"
    path.write_text("\n".join(x if isinstance(x, str) else json.dumps(x) for x in lines) + "\n")
    return path


def one(folder: Path, line: object) -> Recorded:
    [found] = read_file(written(folder, line))
    assert isinstance(found, Recorded), found
    return found


def test_a_line_is_read_as_an_import_would_read_it(tmp_path: Path):
    line = {"customer": 42, "event": "Paid", "timestamp": AT, "properties": {"total": 7}}

    found = one(tmp_path, line)

    assert found.customer == "42"
    assert found.touchpoint.event == "Paid"
    assert found.touchpoint.timestamp == datetime(2026, 3, 2, 10, tzinfo=UTC)
    assert found.touchpoint.properties == {"total": 7}
    assert (
        found.touchpoint.message_id == read_line(json.dumps(line).encode() + b"\n", 1)["messageId"]
    )


@pytest.mark.parametrize("name", ["customer", "userId", "anonymousId"])
def test_whose_it_is_may_be_said_in_segments_words(tmp_path: Path, name: str):
    assert one(tmp_path, {name: "ann", "event": "Paid", "timestamp": AT}).customer == "ann"


def test_an_identify_tells_traits_and_a_page_that_it_was_viewed(tmp_path: Path):
    known = {"type": "identify", "userId": "ann", "traits": {"tier": "gold"}, "timestamp": AT}
    page = {"type": "page", "userId": "ann", "name": "Home", "timestamp": AT}

    traits, viewed = (
        found.touchpoint
        for found in read_file(written(tmp_path, known, page))
        if isinstance(found, Recorded)
    )

    assert (traits.event, traits.properties) == ("$identify", {"tier": "gold"})
    assert (viewed.event, viewed.properties) == ("Page Viewed", {"name": "Home"})


def test_what_is_about_a_subject_needs_no_customer(tmp_path: Path):
    about = {"subject": {"kind": "flight", "id": "UA1"}}
    found = one(tmp_path, {"event": "Flight Delayed", "timestamp": AT, "context": about})

    assert found.customer is None
    assert found.touchpoint.context == about


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("nonsense", "is not JSON"),
        ("[1]", "is not a JSON object"),
        ({"event": "Paid", "timestamp": AT}, "customer: is missing"),
        ({"customer": "ann", "timestamp": AT}, "event: expected"),
        ({"customer": "ann", "event": "Paid"}, "timestamp: is missing"),
        ({"customer": "ann", "event": "Paid", "timestamp": "yesterday"}, "is not RFC 3339"),
        ({"customer": "ann", "event": "Paid", "timestamp": "2026-03-02T10:00:00"}, "has no zone"),
        ({"customer": "ann", "event": "Paid", "timestamp": AT, "properties": 5}, "properties"),
        ({"customer": ["ann"], "event": "Paid", "timestamp": AT}, "customer: expected text"),
        ({"type": "alias", "userId": "ann", "timestamp": AT}, "type: 'alias'"),
        ({"type": "page", "userId": "ann", "properties": 5, "timestamp": AT}, "properties"),
    ],
)
def test_a_line_that_is_no_touchpoint_names_its_place_and_the_next_is_read(
    tmp_path: Path, line: object, said: str
):
    path = written(tmp_path, line, "", {"customer": "bo", "event": "Paid", "timestamp": AT})

    wrong, right = read_file(path)

    assert isinstance(wrong, Unread)
    assert str(wrong).startswith(f"{path}:1: ")
    assert said in wrong.why
    assert isinstance(right, Recorded)


def test_a_compressed_recording_is_read_and_a_torn_one_says_where_it_ends(tmp_path: Path):
    lines = "".join(
        json.dumps({"customer": f"c{n}", "event": "Paid", "timestamp": AT}) + "\n"
        for n in range(5_000)
    )
    whole = tmp_path / "past.jsonl.gz"
    whole.write_bytes(gzip.compress(lines.encode()))
    torn = tmp_path / "torn.jsonl.gz"
    torn.write_bytes(whole.read_bytes()[:-2_000])

    assert len(list(read_file(whole))) == 5_000
    *_, last = read_file(torn)
    assert isinstance(last, Unread)
    assert "damaged from here on" in last.why


def test_a_purchase_of_cdnow_is_an_order_at_noon(tmp_path: Path):
    path = tmp_path / "CDNOW_master.txt"
    path.write_bytes(
        b" customer_id  date number_of_cds  dollar_value\r\n"
        b" 00001 19970101  1   11.77\r\n"
        b" 00002 1997\r\n"
        b" 00002 19970112  5   77.00\r\n"
    )

    first, wrong, last = read_cdnow(path)

    assert isinstance(first, Recorded)
    assert first.customer == "00001"
    assert first.touchpoint.timestamp == datetime(1997, 1, 1, 12, tzinfo=UTC)
    assert first.touchpoint.event == "Order Completed"
    assert first.touchpoint.properties == {"quantity": 1, "revenue": 11.77, "order": "cdnow-2"}
    assert wrong == Unread(f"{path}:3", "expected customer, day, number and dollars")
    assert isinstance(last, Recorded)
