"""Our delivery worker with a channel that keeps who, what and when.

    python -m benchmarks.side_by_side.clew_delivery SINK

The same process as `python -m workers delivery` but for the channel: policy, ledger, words and rates are the real ones.
"""

import sys
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

from activities.message_channel import ProviderAnswer, RenderedMessage
from benchmarks.side_by_side.sink import SinkWriter
from stores.definitions import DefinitionStore
from stores.wakeup import Bell
from workers.connections import database, temporal
from workers.delivery_worker import delivery_workers, message_delivery
from workers.plugin import clew_plugin
from workers.process import Life, run_process
from workers.sealed_history import sealing
from workers.settings import DeliverySettings


class SinkChannel:
    """Takes every mail at once. The message's text names which one it is."""

    name = "email"
    provider = "email"
    key_window = None
    looks_up = False

    def __init__(self, writer: SinkWriter) -> None:
        self._writer = writer

    async def send(self, message: RenderedMessage) -> ProviderAnswer:
        """Take it."""
        which = message.text.rsplit("this is the ", 1)[1].split(".", 1)[0]
        self._writer.take(message.address.split("@", 1)[0], which)
        return ProviderAnswer(provider_id="taken")

    async def look_up(self, key: str) -> ProviderAnswer | None:
        """It cannot be asked."""
        raise NotImplementedError(f"the sink cannot say what became of {key}")


async def serve(settings: DeliverySettings, life: Life) -> None:
    """As workers/delivery_worker.py, with one channel."""
    async with AsyncExitStack() as parts:
        pool = await parts.enter_async_context(database(settings, "delivery"))
        bell = await parts.enter_async_context(Bell(settings.database_url))
        seal = sealing(settings, pool)
        plugin = clew_plugin(DefinitionStore(pool), runs_journeys=False, sealing=seal)
        client = await temporal(settings, plugins=[plugin], identity="delivery")
        channel = SinkChannel(SinkWriter(Path(sys.argv[1])))
        delivery = message_delivery(pool, bell.ring, {"email": channel})
        for worker in delivery_workers(
            client, delivery, at_once=settings.deliveries_at_once, drain=timedelta(seconds=5)
        ):
            await parts.enter_async_context(worker)
        life.ready()
        await life.stop.wait()


if __name__ == "__main__":
    sys.exit(run_process("delivery", DeliverySettings, serve))
