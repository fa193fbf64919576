"""A name stays a name: no second header, mail or line of a log, no command of a terminal, no formula of a table."""

import csv
import io
import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from email import message_from_bytes, policy
from typing import Any

import pytest
import structlog

from activities.message_channel import Attachment, ProviderRefusedError
from channels.mail import MailSender, build_mail
from cli.output import print_table, say
from stores.export_files import as_csv
from tests.integration.channels.one_message import SENDER, a_message
from tests.integration.channels.providers import smtp_channel
from tests.integration.channels.scripted_smtp import ScriptedSmtp
from tests.scorecard import keep_part
from tests.security.payloads import corpus
from workers.logs import configure_logs

_CORPUS: dict[str, Any] = corpus("injection.yaml")
NAMES: list[str] = _CORPUS["names"]
ADDRESSES: list[str] = _CORPUS["addresses"]
FORMULAS: list[str] = _CORPUS["formulas"]
ONCE = {"from", "to", "reply-to", "subject", "date", "message-id", "auto-submitted", "mime-version", "content-type",
        "content-transfer-encoding"}  # fmt: skip


def kept(part: str, payloads: int, found: Sequence[str]) -> None:
    keep_part("R14", {f"injection {part}": payloads}, hits=len(found))
    assert list(found) == []


def read_back(raw: bytes) -> list[str]:
    """What is wrong with a mail as the next server reads it."""
    mail = message_from_bytes(raw, policy=policy.default)
    names = [name.lower() for name in mail]
    found = [f"{name} is a header" for name in names if name not in ONCE]
    found += [f"{name} twice" for name in set(names) if names.count(name) > 1]
    if mail["To"].addresses[0].addr_spec != "anna@example.com" or len(mail["To"].addresses) > 1:
        found.append(f"to {mail['To']}")
    if [each.addr_spec for each in mail["From"].addresses] != [SENDER.address]:
        found.append(f"from {mail['From']}")
    loose = raw.replace(b"\r\n", b"")
    return found + (["a line end by half"] if b"\n" in loose or b"\r" in loose else [])


def test_no_name_is_a_second_header_of_a_mail() -> None:
    found: list[str] = []
    for name in NAMES:
        file = Attachment(name=name, media_type=f"text/plain; name={name}", content=name.encode())
        message = replace(
            a_message(), subject=name, text=name, html=f"<p>{name}</p>", attachments=(file,)
        )
        sender = MailSender(address=SENDER.address, name=name, reply_to=SENDER.reply_to)
        raw = build_mail(message, sender, None).as_bytes()
        found += [f"{name!r}: {each}" for each in read_back(raw)]
    kept("of headers", 5 * len(NAMES), found)


def test_what_would_be_a_second_header_is_seen() -> None:
    raw = build_mail(a_message(), SENDER, None).as_bytes()

    assert read_back(raw) == []
    assert read_back(b"Bcc: eve@evil.example\r\n" + raw) == ["bcc is a header"]
    assert read_back(raw.replace(b"B4.", b"B4.\n.\n")) == ["a line end by half"]


def test_no_address_is_two() -> None:
    found: list[str] = []
    for address in ADDRESSES:
        try:
            mail = build_mail(a_message(to=address), SENDER, None)
        except ProviderRefusedError:
            continue
        # Spaces and line ends around one are cut off, as a person would.
        if str(mail["To"]) != address.strip():
            found.append(f"{address!r} became {mail['To']}")
    kept("of addresses", len(ADDRESSES), found)


async def test_no_name_is_a_second_mail_on_the_wire() -> None:
    """SMTP smuggling: a line of one dot, with half a line end before or behind it, in texts and subjects."""
    relay = ScriptedSmtp()
    await relay.open()
    channel = smtp_channel(relay.port)
    for n, name in enumerate(NAMES):
        text = f"Dear\n{name}\n.\nMAIL FROM:<eve@evil.example>\nRCPT TO:<eve@evil.example>\nDATA\n"
        await channel.send(replace(a_message(n), subject=f"{n} {name}", text=text))
    await channel.close()
    await relay.close()

    assert len(relay.taken) == len(NAMES)
    kept(
        "of mails", len(NAMES), [str(m["To"]) for m in relay.taken if m["To"] != "anna@example.com"]
    )


def test_no_name_is_a_second_line_of_a_log() -> None:
    found, stream = list[str](), io.StringIO()
    before = (logging.root.handlers[:], logging.root.level)
    try:
        configure_logs("test", "info", stream)
        for name in NAMES:
            structlog.get_logger("hostile").info("called", name=name, **{"a b": name})
            logging.getLogger("hostile").warning("called %s", name)
    finally:
        logging.root.handlers[:], _ = before
        logging.root.setLevel(before[1])
        structlog.reset_defaults()
    lines = stream.getvalue().split("\n")[:-1]
    for line in lines:
        try:
            told = json.loads(line)
        except ValueError:
            found.append(f"no line: {line[:80]}")
            continue
        if told["event"] == "all is well" or "\x1b" in line or "\r" in line:
            found.append(line[:120])
    assert len(lines) == 2 * len(NAMES)
    kept("of logs", 2 * len(NAMES), found)


def test_no_name_is_a_command_of_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(["name", "id"], [(name, n) for n, name in enumerate(NAMES)])
    for name in NAMES:
        say(f"There is no customer {name}")
    told = capsys.readouterr()

    said = told.out + told.err
    found = [repr(letter) for letter in said if letter not in "\n\t" and not _shown(letter)]
    assert "Anna" in told.out
    kept("of terminals", 2 * len(NAMES), found)


def _shown(letter: str) -> bool:
    return letter.isprintable() or letter in "\u2028\u2029\xa0"


def test_no_cell_of_an_export_is_a_formula() -> None:
    table = as_csv([{formula: formula, "other": [formula]} for formula in FORMULAS][:1])
    table += as_csv([{"cell": formula} for formula in [*FORMULAS, *NAMES]])
    cells = [cell for row in csv.reader(io.StringIO(table, newline="")) for cell in row]
    kept("of tables", len(cells), [repr(cell) for cell in cells if _is_formula(cell)])


def _is_formula(cell: str) -> bool:
    """As spreadsheets take it: blanks, marks and wide letters before it do not help."""
    begin = cell.lstrip(" \t\r\n\xa0\ufeff\u200b\x00")
    return begin.startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))
