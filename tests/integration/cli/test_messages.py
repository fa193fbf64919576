"""Messages go live with what they share, one by one as files or all at once, and to oneself before."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from channels.local_mailbox import LocalMailbox
from cli.publishing import _publish
from cli.send_test import _send
from stores.database import Pool, open_pool
from stores.messages import MessageStore

LATE = '---\nsubject: "Late"\n---\n{% render "bye" %} {{ house.colours.main }}\n'
HOUSE = "name: Meridian\ncolours: {main: '#123'}\n"


@pytest_asyncio.fixture
async def pool(database: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Pool]:
    monkeypatch.setenv("CLEW_DATABASE_URL", database)
    opened = await open_pool(database)
    yield opened
    await opened.close()


def written(folder: Path, files: dict[str, str]) -> list[Path]:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return [folder / name for name in files]


async def test_a_message_is_live_with_its_variants_blocks_and_voice(
    pool: Pool, tmp_path: Path
) -> None:
    files = {
        "messages/late.md": LATE,
        "messages/late.de.md": LATE.replace("---\n{%", "locale: de\n---\n{%"),
        "messages/blocks/bye.liquid": "Bye.",
        "messages/house.yaml": HOUSE,
    }
    written(tmp_path, files)

    checked = await _publish(tmp_path, [tmp_path])

    assert checked.problems == []
    live = await MessageStore(pool).live("late")
    assert live is not None
    assert live.revision == checked.messages["late"][0].revision
    assert "late.de.md" in live.source
    assert live.shared["bye"] == {"text": "Bye."}
    assert live.shared["house"]["name"] == "Meridian"  # pyright: ignore[reportArgumentType, reportCallIssue, reportIndexIssue, reportOptionalSubscript]


async def test_the_voice_may_not_lose_what_a_live_message_needs(pool: Pool, tmp_path: Path) -> None:
    written(
        tmp_path,
        {
            "messages/late.md": LATE,
            "messages/blocks/bye.liquid": "Bye.",
            "messages/house.yaml": HOUSE,
        },
    )
    assert (await _publish(tmp_path, [tmp_path])).problems == []
    [voice] = written(tmp_path / "new", {"house.yaml": "name: Meridian\n"})
    [block] = written(tmp_path / "new", {"bye.liquid": "See you. {{ house.name }}"})

    [problem] = (await _publish(tmp_path, [voice])).problems

    assert (problem.file, problem.line) == ("late.md (live)", 4)
    assert "no colour 'main'" in problem.message
    live = await MessageStore(pool).live("late")
    assert live is not None
    assert "colours" in str(live.shared["house"])
    assert (await _publish(tmp_path, [block])).problems == []


async def test_a_test_to_oneself_arrives_marked_and_stands_in_no_ledger(
    pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from activities.message_text import RenderFor
    from cli.message_values import in_words, looked_up
    from cli.send_test import rendered

    (tmp_path / "late.md").write_text(
        "---\nsubject: Late\ncalendar: {title: A, starts: '2026-03-02T09:00:00Z'}\n---\nLate, **again**.\n"
    )
    async with LocalMailbox(tmp_path / "mailbox", port=0) as mailbox:
        for name, value in {
            "TEMPORAL_ADDRESS": "127.0.0.1:1",
            "CLEW_SMTP_URL": f"smtp://127.0.0.1:{mailbox.port}",
            "CLEW_MAIL_FROM": "Clew <hello@clew.example>",
            "CLEW_SECRET": "a secret of at least 32 characters",
            "CLEW_PUBLIC_URL": "https://ours.example",
        }.items():
            monkeypatch.setenv(name, value)
        path = str(tmp_path / "late.md")
        message, given, _ = looked_up(path, tmp_path, customer=None, journey=None, values=None)
        words = in_words(message, given, RenderFor(address="me@example.com"))
        await _send(rendered(message, words, "me@example.com"), "email", tmp_path)
        [kept] = mailbox.store.received()
        mail = mailbox.store.open_mail(kept)

    assert (mail["Subject"], mail["To"]) == ("[test] Late", "me@example.com")
    kinds = [part.get_content_type() for part in mail.walk()]
    assert kinds == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "text/calendar",  # beside the words, so that mail programs offer to accept it
        "text/calendar",
    ]
    [invite] = mail.iter_attachments()
    assert invite.get_param("method") == "PUBLISH"
    async with pool.connection() as connection:
        cursor = await connection.execute("select count(*) as count from deliveries")
        assert await cursor.fetchone() == {"count": 0}
