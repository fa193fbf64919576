"""The folder of an installation: one `up` at a time, the same ports and secrets each time."""

import json
import os
import socket
from dataclasses import asdict
from pathlib import Path

import pytest

from workers.embedded.child_process import EmbeddedServerError
from workers.embedded.stack_files import Addresses, Ports, StackFiles, running_stack

ADDRESSES = Addresses(
    database_url="postgresql:///clew",
    temporal_address="127.0.0.1:1",
    temporal_ui=None,
    temporal_namespace="default",
    api="http://127.0.0.1:2",
    mailbox="http://127.0.0.1:3/mailbox",
    smtp_url="smtp://127.0.0.1:4",
    write_key="key",
    state="/state",
)


def test_a_second_up_is_told_who_holds_the_folder(tmp_path: Path) -> None:
    first = StackFiles(tmp_path)
    first.lock()

    with pytest.raises(EmbeddedServerError, match=f"process {os.getpid()}"):
        StackFiles(tmp_path).lock()

    first.unlock()
    second = StackFiles(tmp_path)
    second.lock()
    second.unlock()


def test_ports_stay_as_they_were_but_for_one_that_is_taken(tmp_path: Path) -> None:
    first = StackFiles(tmp_path).ports(Ports.free())
    assert len(set(asdict(first).values())) == 6

    with socket.create_server(("127.0.0.1", first.api)):
        second = StackFiles(tmp_path).ports(Ports())

    assert second.api != first.api
    assert second.temporal == first.temporal


def test_secrets_are_made_once_and_are_nobody_elses_to_read(tmp_path: Path) -> None:
    files = StackFiles(tmp_path)

    assert files.secret() == files.secret()
    assert files.secret("write_key") != files.secret()
    assert (tmp_path / "secret").stat().st_mode & 0o077 == 0


def test_commands_find_what_runs_and_not_what_ran(tmp_path: Path) -> None:
    files = StackFiles(tmp_path)
    assert running_stack(tmp_path) is None

    files.tell(ADDRESSES)
    assert running_stack(tmp_path) == ADDRESSES
    assert (tmp_path / "stack.json").stat().st_mode & 0o077 == 0

    told = json.loads((tmp_path / "stack.json").read_text())
    (tmp_path / "stack.json").write_text(json.dumps({**told, "pid": 2**22 + 1}))
    assert running_stack(tmp_path) is None

    files.forget()
    assert running_stack(tmp_path) is None
