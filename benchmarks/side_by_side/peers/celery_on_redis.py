"""Celery with Redis as its broker."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.side_by_side.peers.peer import NO_HISTORY, Peer
from benchmarks.side_by_side.peers.redis_server import RedisMeter, RedisServer
from benchmarks.side_by_side.postgres_meter import Meter


class Celery(Peer):
    """Tasks with a time, and keys for whoever has bought and whoever waits."""

    name = "celery"
    title = "Celery, tasks in Redis"
    licence = "BSD-3-Clause (Redis 7.0: BSD-3-Clause)"
    module = "benchmarks.side_by_side.peers.celery_app"
    packages = ("celery", "kombu", "redis")
    kinds = ("worker", "door")
    visibility_seconds = 4
    without: Mapping[str, str] = {"noise": NO_HISTORY}

    async def _store(self, folder: Path) -> str:
        self._redis = RedisServer(folder / "redis")
        await self._redis.start()
        self._parts.push_async_callback(self._redis.stop)
        self._told = await self._redis.numbers("server")
        return self._redis.url

    def meter(self) -> Meter | None:
        """Its Redis."""
        return RedisMeter(self._redis)

    def pids(self) -> Mapping[str, Sequence[int]]:
        """Its Redis is its database."""
        pid = self._redis.pid
        return {**super().pids(), **({"database": [pid]} if pid else {})}

    async def kill(self, what: str) -> None:
        """As the others; the Redis comes again with what it had appended."""
        if what == "database":
            await self._redis.kill()
            await self._redis.start()
        else:
            await super().kill(what)

    async def begin_far(self, customers: Sequence[str], seconds: int) -> None:
        """Tasks further away than a visibility timeout: an hour by default, seconds here, to be waited for."""
        for name in ("worker", "second"):
            if name in self._programs:
                await self._programs[name].stop()
            self._programs[name] = self._program(name, str(self.visibility_seconds))
            await self._programs[name].start()
        for customer in customers:
            await self._door.ask(do="far", customer=customer, seconds=seconds)

    def versions(self) -> Mapping[str, str]:
        """Of its packages and its Redis."""
        return {**super().versions(), "redis-server": self._told["redis_version"]}
