"""Files that are none, or too much: refused with a place and a reason before they hurt, wherever they are uploaded."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from tests.scorecard import keep_part
from tests.security.upload_payloads import NAMES
from tests.unit.bomb_limits import outcomes
from tests.unit.journey.hostile_files import HOSTILE

SECRET = "root:x:0"
READ = {
    # Words that are no files of this kind by their name only: as text they harm nobody.
    # The last one counts, as in YAML 1.1: live messages may have it, so it is not refused when they are rendered.
    "message: a subject twice",
    "message: a number of many digits",
    "message: a file that is read",
    "message: as JSON: another folder",
    "message: as JSON: the root",
}


def kept(part: str, payloads: int, found: list[str]) -> None:
    keep_part("R14", {f"uploads {part}": payloads}, hits=len(found))
    assert found == []


def test_no_message_and_no_policy_eats_who_reads_it() -> None:
    """Each in a process of its own, ended at 5 seconds of CPU and 160 MB (a policy: 30 and 200)."""
    ended = outcomes("tests.security.upload_payloads")

    assert set(ended) == set(NAMES)
    wrong = [
        f"{name}: {how}"
        for name, how in ended.items()
        if how != "refused" and not (how == "read" and name in READ)
    ]
    kept("of messages and policies", len(ended), wrong)


def test_no_definition_eats_who_reads_it() -> None:
    """The same for journeys, at 200 MB; the unit tests name each."""
    ended = outcomes("tests.unit.journey.hostile_files")
    wrong = [f"{name}: {how}" for name, how in ended.items() if how != "refused"]
    kept("of journeys", len(HOSTILE), wrong)


LINKS = {
    "late.md": "/etc/passwd",
    "late.de.md": "../../../../../../etc/passwd",
    "blocks/late.liquid": "/etc/passwd",
    "house.yaml": "/etc/passwd",
}


@pytest.mark.parametrize("name", LINKS)
def test_a_link_to_a_file_of_the_machine_shows_nothing_of_it(tmp_path: Path, name: str) -> None:
    messages = tmp_path / "messages"
    (messages / name).parent.mkdir(parents=True)
    (messages / "late.md").write_text("---\nsubject: Late\n---\nLate.\n")
    (messages / name).unlink(missing_ok=True)
    (messages / name).symlink_to(LINKS[name])

    told = CliRunner().invoke(app, ["check", str(tmp_path)])

    assert SECRET not in told.output
    assert "Traceback" not in told.output
    assert told.exception is None or isinstance(told.exception, SystemExit)
