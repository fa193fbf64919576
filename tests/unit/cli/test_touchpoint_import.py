"""Lines of an import, and how far it came."""

import json
from pathlib import Path

import pytest

from cli.touchpoint_import import Cursor, UnreadableLineError, read_line


def test_a_line_is_read_as_a_message_of_segments_api() -> None:
    line = {"event": "Paid", "customer": "anna", "properties": {"a": 1}, "message_id": "m1"}

    message = read_line(json.dumps(line).encode(), 1)

    assert message == {
        "type": "track",
        "event": "Paid",
        "userId": "anna",
        "properties": {"a": 1},
        "messageId": "m1",
    }


def test_a_message_of_segments_api_is_taken_as_it_is() -> None:
    line = {"type": "identify", "userId": "anna", "traits": {"a": 1}, "messageId": "m2"}

    assert read_line(json.dumps(line).encode(), 1) == line


def test_a_line_without_an_id_has_the_same_one_each_time_and_its_twin_another() -> None:
    line = b'{"event": "Paid", "customer": "anna"}\n'

    ids = [read_line(line, number)["messageId"] for number in (7, 7, 8)]

    assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"nonsense", "not JSON"),
        (b"[1]", "not a JSON object"),
        (b'{"customer": "anna"}', "event"),
        (b'{"event": 5}', "event"),
        (b"\xff", "not JSON"),
    ],
)
def test_a_line_that_is_no_touchpoint_says_why(line: bytes, said: str) -> None:
    with pytest.raises(UnreadableLineError, match=said):
        read_line(line, 1)


def test_a_file_that_grew_is_gone_on_with_and_another_is_begun(tmp_path: Path) -> None:
    file = tmp_path / "past.jsonl"
    file.write_text("one\ntwo\n")
    Cursor(tmp_path, file).write(4, 1)
    file.write_text("one\ntwo\nthree\n")
    assert Cursor(tmp_path, file).read() == (4, 1)

    file.write_text("another\ntwo\n")

    assert Cursor(tmp_path, file).read() == (0, 0)


def test_a_torn_cursor_begins_from_the_start(tmp_path: Path) -> None:
    file = tmp_path / "past.jsonl"
    file.write_text("one\n")
    Cursor(tmp_path, file).write(4, 1)
    [kept] = (tmp_path / "imports").iterdir()
    kept.write_text('{"read"')

    assert Cursor(tmp_path, file).read() == (0, 0)
