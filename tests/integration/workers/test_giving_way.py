"""On one machine with few processors, what comes in is answered before what came in is worked through."""

import os
import signal
import sys
from pathlib import Path

import pytest

from workers.embedded.child_process import spawn
from workers.embedded.own_process import LATER

SAYS = """
import os, signal, sys
with open(sys.argv[1] + ".part", "w") as told:
    told.write(str(os.nice(0)))
os.replace(sys.argv[1] + ".part", sys.argv[1])
signal.pause()
"""


@pytest.mark.parametrize("gives_way", [True, False])
async def test_who_works_through_what_came_in_gives_way(tmp_path: Path, gives_way: bool) -> None:
    told = tmp_path / "niceness"
    child = await spawn(
        [sys.executable, "-c", SAYS, str(told)],
        log=tmp_path / "log", when_parent_dies=signal.SIGKILL, gives_way=gives_way,
    )  # fmt: skip
    try:
        await child.until_ready(told, 60)
        niceness = int(told.read_text())
    finally:
        await child.kill()
    assert niceness == os.nice(0) + (5 if gives_way else 0)


def test_the_api_and_the_router_never_do() -> None:
    assert not {"api", "router", "inbound", "codec"} & set(LATER)
