"""Mails kept in a folder, with an append-only journal: what was received, in order, for ever."""

import json
import os
from collections import Counter
from dataclasses import asdict, dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

JOURNAL = "mails.jsonl"


@dataclass(slots=True, frozen=True, kw_only=True)
class ReceivedMail:
    """One line of the journal. `received_at` is RFC 3339 wall time, `path` within the folder."""

    received_at: str
    message_id: str
    to: str
    subject: str
    path: str

    @property
    def name(self) -> str:
        """What the mail is called in a URL."""
        return Path(self.path).stem


class MailStore:
    """A folder of mails. One process writes; any number may read while it does.

    The journal's line is written after the mail and before the sender is told, by one append:
    a mail that was acknowledged is in the journal, whatever is killed. It is not synced to disk:
    a loss of power may cost the last second.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._journal = folder / JOURNAL
        self._read: list[ReceivedMail] = []
        self._offset = 0

    def open(self) -> None:
        """Make the folder; finish a line that a killed writer left torn."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self._journal.exists() and self._journal.stat().st_size:
            with self._journal.open("r+b") as journal:
                journal.seek(-1, os.SEEK_END)
                if journal.read(1) != b"\n":
                    journal.write(b"\n")

    def keep(self, raw: bytes, recipients: list[str], received_at: str) -> None:
        """Keep one mail; when this returns it is in the journal, once for each recipient."""
        mail = message_from_bytes(raw, policy=default)
        number = len(self.received()) + 1
        path = Path(received_at[:10]) / f"{number:08d}-{os.getpid()}.eml"
        (self.folder / path).parent.mkdir(exist_ok=True)
        (self.folder / path).write_bytes(raw)
        lines = b"".join(
            _line(
                ReceivedMail(
                    received_at=received_at,
                    message_id=str(mail["Message-ID"] or "").strip(),
                    to=recipient,
                    subject=str(mail["Subject"] or ""),
                    path=str(path),
                )
            )
            for recipient in recipients
        )
        with self._journal.open("ab", buffering=0) as journal:
            journal.write(lines)

    def received(self) -> list[ReceivedMail]:
        """Everything received, oldest first. Reads only what is new since the last call."""
        if not self._journal.exists():
            return []
        with self._journal.open("rb") as journal:
            journal.seek(self._offset)
            for line in journal:
                if not line.endswith(b"\n"):
                    break
                self._offset += len(line)
                mail = _mail(line)
                if mail is not None:
                    self._read.append(mail)
        return self._read

    def counts(self) -> Counter[str]:
        """How often each Message-ID was received: more than once is a customer who got it twice."""
        return Counter(mail.message_id for mail in self.received())

    def find(self, name: str) -> ReceivedMail | None:
        """The mail of this name."""
        return next((mail for mail in reversed(self.received()) if mail.name == name), None)

    def open_mail(self, mail: ReceivedMail) -> EmailMessage:
        """The mail itself."""
        raw = (self.folder / mail.path).read_bytes()
        parsed = message_from_bytes(raw, policy=default)
        assert isinstance(parsed, EmailMessage)
        return parsed


def _line(mail: ReceivedMail) -> bytes:
    return json.dumps(asdict(mail), ensure_ascii=False).encode() + b"\n"


def _mail(line: bytes) -> ReceivedMail | None:
    try:
        return ReceivedMail(**json.loads(line))
    except (ValueError, TypeError):
        return None  # torn by a kill before the sender was answered
