"""One process from start to end: logs, signals, its sign of life, and a clean way out."""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import structlog

from contracts.fault_points import arm
from workers.logs import configure_logs
from workers.metrics import serve_metrics
from workers.sent_logs import send_logs
from workers.settings import Settings, SettingsError, read_settings
from workers.telemetry import start_telemetry

SIGN_OF_LIFE_SECONDS = 1.0

_log = structlog.get_logger(__name__)


class UnfitInstallationError(Exception):
    """Something this process needs is not as it must be; the message names the remedy."""


class Life:
    """The life of a process: `stop` is set when it is asked to end; `ready()` when it works."""

    def __init__(self, ready_file: Path | None = None) -> None:
        self.stop = asyncio.Event()
        self._ready_file = ready_file
        self._beat: asyncio.Task[None] | None = None

    def ready(self) -> None:
        """Say that it works, and go on saying so each second."""
        _log.info("ready")
        if self._ready_file is not None and self._beat is None:
            self._beat = asyncio.create_task(self._show(self._ready_file), name="sign of life")

    async def _show(self, file: Path) -> None:
        while True:
            with suppress(OSError):
                file.touch()  # noqa: ASYNC240 -- a local file, no wait
            await asyncio.sleep(SIGN_OF_LIFE_SECONDS)


Serve = Callable[[Settings, Life], Awaitable[None]]


def run_process(name: str, kind: type[Settings], serve: Serve[Settings]) -> int:
    """Run one process until it is told to stop; its exit code: 0 ended, 1 failed, 2 settings."""
    try:
        settings = read_settings(kind)
    except SettingsError as error:
        print(f"clew {name} cannot start:\n{error}", file=sys.stderr)  # noqa: T201 -- no log yet
        return 2
    arm(os.environ)
    with send_logs(name, configure_logs(name, settings.log_level)):
        return asyncio.run(_live(name, settings, serve))


async def _live(name: str, settings: Settings, serve: Serve[Settings]) -> int:
    life = Life(settings.ready_file)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, life.stop.set)
    try:
        with start_telemetry(name), serve_metrics(settings):
            await serve(settings, life)
    except UnfitInstallationError as error:
        _log.error("cannot_start", error=str(error))
        return 1
    except Exception:
        _log.exception("process_failed")
        return 1
    finally:
        # Native workers go while the loop still runs: the interpreter may abort at exit if not.
        gc.collect()
        await asyncio.sleep(0)
    _log.info("ended")
    return 0
