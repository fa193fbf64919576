"""The embedded servers live through what a person or a crash does to them."""

import asyncio
import sys
from pathlib import Path

import psutil
import psycopg
import pytest
from temporalio.client import Client, WorkflowExecutionStatus

from contracts.search_attributes import SEARCH_ATTRIBUTES
from workers.embedded import finding_temporal
from workers.embedded.postgres_server import EmbeddedServerError, PostgresServer
from workers.embedded.temporal_server import TemporalServer, find_executable, find_temporal

STARTER = """
import asyncio, sys
from pathlib import Path
from workers.embedded.postgres_server import PostgresServer
from workers.embedded.temporal_server import TemporalServer, find_executable

async def main():
    state = Path(sys.argv[1])
    database = PostgresServer(state / "postgres")
    server = TemporalServer(find_executable().executable, state / "temporal", headless=True)
    await asyncio.gather(database.start(), server.start())
    print(database.pid, server.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def count(url: str) -> int:
    async with await psycopg.AsyncConnection.connect(url) as connection:
        row = await (await connection.execute("select count(*) from promise")).fetchone()
    assert row is not None
    return row[0]


async def test_postgres_loses_nothing_committed_when_it_is_killed(tmp_path: Path) -> None:
    async with PostgresServer(tmp_path / "postgres") as server:
        url = await server.create_database("clew")
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            await connection.execute("create table promise as select generate_series(1, 500)")
            await server.kill()
        assert server.pid is None

        await server.start()

        assert await count(url) == 500


async def test_postgres_refuses_a_second_server_on_the_same_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.embedded.postgres_server.STOP_SECONDS", 0)
    async with PostgresServer(tmp_path / "postgres"):
        with pytest.raises(EmbeddedServerError, match="runs on"):
            await PostgresServer(tmp_path / "postgres").start()


async def test_postgres_runs_in_a_folder_whose_path_is_too_long_for_a_socket(
    tmp_path: Path,
) -> None:
    async with PostgresServer(tmp_path / ("deep" * 30) / "postgres") as server:
        url = await server.create_database("clew", template="template0")
        async with await psycopg.AsyncConnection.connect(url) as connection:
            assert connection.info.dbname == "clew"


async def test_temporal_knows_its_runs_again_after_being_killed(tmp_path: Path) -> None:
    executable = find_executable().executable
    assert executable is not None
    async with TemporalServer(
        executable, tmp_path, headless=True, search_attributes=SEARCH_ATTRIBUTES
    ) as server:
        client = await Client.connect(server.address)
        await client.start_workflow("never_taken", id="anna", task_queue="nobody")
        await server.kill()
        assert server.pid is None

        await server.start()

        anna = await client.get_workflow_handle("anna").describe()
        assert anna.status == WorkflowExecutionStatus.RUNNING


async def test_temporal_that_cannot_start_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.embedded.temporal_server.STOP_SECONDS", 0)
    executable = find_executable().executable
    assert executable is not None
    async with TemporalServer(executable, tmp_path / "first", headless=True) as first:
        second = TemporalServer(executable, tmp_path / "second", port=first.port, headless=True)

        with pytest.raises(EmbeddedServerError, match=str(first.port)):
            await second.start()


async def test_temporal_that_lost_a_port_of_its_own_choice_is_started_again(tmp_path: Path) -> None:
    """Seen in CI: its HTTP service had picked a port that an outgoing connection took meanwhile."""
    unlucky = tmp_path / "temporal"
    unlucky.write_text(
        f'#!/bin/sh\n[ -e {tmp_path}/again ] && exec {find_executable().executable} "$@"\n'
        f"touch {tmp_path}/again; echo 'listen tcp: bind: address already in use' >&2; exit 1\n"
    )
    unlucky.chmod(0o755)

    async with TemporalServer(unlucky, tmp_path / "state", headless=True) as server:
        assert server.pid is not None


async def test_servers_end_with_the_process_that_started_them(tmp_path: Path) -> None:
    starter = await asyncio.create_subprocess_exec(
        sys.executable, "-c", STARTER, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert starter.stdout is not None
    servers = [psutil.Process(int(pid)) for pid in (await starter.stdout.readline()).split()]

    starter.kill()
    await starter.wait()

    _, alive = await asyncio.to_thread(psutil.wait_procs, servers, timeout=30)
    assert len(servers) == 2
    assert alive == []


def test_a_given_address_is_taken_before_anything_is_looked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "temporal.example:7233")

    assert find_temporal().address == "temporal.example:7233"


def test_the_cache_is_taken_where_path_has_no_temporal(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CLEW_CACHE", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    cached = tmp_path / f"temporal-{finding_temporal.CLI_VERSION}"
    cached.write_text("#!/bin/sh\n")

    assert find_temporal().executable == cached


def test_a_machine_that_can_get_no_temporal_is_told_what_would_help(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CLEW_CACHE", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(finding_temporal, "_reachable", lambda: False)

    with pytest.raises(finding_temporal.TemporalNotFoundError) as refused:
        find_temporal()

    for remedy in ("TEMPORAL_ADDRESS", "PATH", "temporal.download", "Go"):
        assert remedy in str(refused.value)
