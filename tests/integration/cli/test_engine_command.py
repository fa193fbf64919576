"""`clew engine`, as it is typed."""

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.output import CommandError
from journey.machine import ENGINE
from stores.database import open_pool
from stores.engines import EngineStore


@pytest.fixture
def installation(database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("CLEW_DATABASE_URL", database)
    return database


async def at_work(database: str, *engines: int) -> None:
    pool = await open_pool(database, name="test", most=1)
    await EngineStore(pool).beat("host-1-abc", "journey", "0123abcd", engines)
    await pool.close()


async def clew(*words: str, tmp_path: Path) -> str:
    arguments = ["engine", *words, "--state", str(tmp_path)]
    told = await asyncio.to_thread(CliRunner().invoke, app, arguments)
    if told.exception is not None and not isinstance(told.exception, SystemExit):
        raise told.exception
    return told.output


async def test_the_engine_is_raised_told_and_lowered_again(
    installation: str, tmp_path: Path
) -> None:
    await at_work(installation, ENGINE, ENGINE + 1)

    raised = await clew("raise", str(ENGINE + 1), tmp_path=tmp_path)
    status = json.loads(await clew("status", "--json", tmp_path=tmp_path))
    lowered = await clew("lower", str(ENGINE), tmp_path=tmp_path)

    assert f"clew engine lower {ENGINE}" in raised
    assert status["engine"] == ENGINE + 1
    assert status["processes"][0]["build"] == "0123abcd"
    assert lowered == f"New runs get engine {ENGINE} again.\n"


async def test_a_refusal_names_who_stands_in_the_way(installation: str, tmp_path: Path) -> None:
    await at_work(installation, ENGINE)

    with pytest.raises(CommandError, match=r"journey host-1-abc \(build 0123abcd"):
        await clew("raise", str(ENGINE + 1), tmp_path=tmp_path)
