"""The process for customers' mail by itself: it takes what comes, and ends when asked."""

import asyncio
import signal
from pathlib import Path

import pytest
from aiosmtplib import SMTP

from cli.conversation import conversation
from cli.output import CommandError
from tests.integration.delivery.conftest import ADDRESS
from tests.integration.inbound.conftest import Post
from tests.integration.workers.test_processes import exists, said, start
from workers.embedded.child_process import free_port

MAIL = b"From: anna@example.com\r\nSubject: Hello\r\n\r\nIs it late?\r\n"


@pytest.mark.timeout(200)
async def test_a_mail_is_in_the_conversation_when_the_relay_is_told(
    post: Post,
    one_database: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    port, ready = free_port(), tmp_path / "ready"
    process = await start(
        "inbound",
        CLEW_DATABASE_URL=one_database,
        CLEW_SECRET="s" * 32,
        CLEW_PUBLIC_URL="https://journeys.example",
        CLEW_REPLY_DOMAIN="reply.air.example",
        CLEW_INBOUND_PORT=str(port),
        CLEW_READY_FILE=str(ready),
    )
    await exists(ready, process)
    async with SMTP(hostname="127.0.0.1", port=port, start_tls=False) as smtp:
        await smtp.sendmail(ADDRESS, ["reply@reply.air.example"], MAIL)
    monkeypatch.setenv("CLEW_DATABASE_URL", one_database)

    await asyncio.to_thread(conversation, ADDRESS, False, 50, tmp_path, as_json=False)
    await asyncio.to_thread(conversation, None, True, 50, tmp_path, as_json=True)

    told = capsys.readouterr().out
    assert "Is it late?" in told
    assert told.rstrip().endswith("[]")
    process.send_signal(signal.SIGTERM)
    words = await said(process)
    assert process.returncode == 0, words


@pytest.mark.parametrize(("customer", "strangers"), [(None, False), ("anna", True)])
def test_a_conversation_is_somebodys(tmp_path: Path, customer: str | None, strangers: bool) -> None:
    with pytest.raises(CommandError, match="Name a customer"):
        conversation(customer, strangers, 50, tmp_path)
