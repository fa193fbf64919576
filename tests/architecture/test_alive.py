"""A container's health check tells a process that lives from one that is only there."""

import os
import time
from pathlib import Path

import pytest

from deploy import alive
from workers.embedded.child_process import free_port


@pytest.fixture
def sign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that a process touches; nobody is ended, for nobody is in this /proc."""
    file = tmp_path / "ready"
    monkeypatch.setenv("CLEW_READY_FILE", str(file))
    return file


def touched(file: Path, seconds_ago: float) -> None:
    file.touch()
    then = time.time() - seconds_ago
    os.utime(file, (then, then))


def test_who_gave_a_sign_just_now_lives_and_who_never_did_is_not_ready(
    sign: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert alive.main([]) == 1
    assert "not ready yet" in capsys.readouterr().out

    touched(sign, 1)
    assert alive.main([]) == 0


def test_who_is_silent_is_unwell(sign: Path, capsys: pytest.CaptureFixture[str]) -> None:
    touched(sign, 30)

    assert alive.main([]) == 1
    assert "no sign of life for 30 s" in capsys.readouterr().out


def test_who_lives_but_no_longer_listens_is_unwell(
    sign: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    touched(sign, 1)
    port = free_port()

    assert alive.main([str(port)]) == 1
    assert str(port) in capsys.readouterr().out


def test_only_what_the_containers_init_began_is_ended(tmp_path: Path) -> None:
    for pid, parent in ((7, 1), (12, 7), (30, 0)):
        (tmp_path / str(pid)).mkdir()
        (tmp_path / str(pid) / "status").write_text(f"Name:\tpython\nPPid:\t{parent}\nUid:\t0\n")

    assert alive.carried_by_init(tmp_path) == [7]
