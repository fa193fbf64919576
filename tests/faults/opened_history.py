"""A client of an installation that opens what its histories hold."""

import time

from temporalio.client import Client

from contracts.sealing import MasterKeys
from stores.database import Pool
from stores.history_keys import HistoryKeyStore
from workers.embedded.stack import Stack
from workers.sealed_history import Sealing, data_converter


async def opening_client(stack: Stack, pool: Pool) -> Client:
    """Connect to the Temporal of this installation with the keys of its customers."""
    keys = HistoryKeyStore(pool, MasterKeys.read(None, stack.files.secret()), time.monotonic)
    return await Client.connect(
        stack.addresses.temporal_address,
        data_converter=data_converter(sealing=Sealing(keys)),
    )
