"""Erasures, wired: where they are kept, and who carries them on."""

from temporalio.client import Client

from routing.erasing import Eraser
from routing.temporal_executions import TemporalExecutions
from stores.database import Pool
from stores.erased_hashes import ErasedHashes
from stores.erasures import ErasureStore, UnderWay
from stores.history_keys import destroy_keys
from workers.build import process_name


def erasures(pool: Pool, secret: bytes | None = None) -> ErasureStore:
    """Where erasures are kept; `secret` (CLEW_SECRET) is needed to begin one."""
    hashes = ErasedHashes(secret) if secret is not None else None
    return ErasureStore(pool, hashes=hashes, destroy_keys=destroy_keys)


def eraser(pool: Pool, client: Client) -> Eraser[UnderWay]:
    """Carries erasures on that were begun, whoever began them."""
    holder = process_name()
    return Eraser(erasures(pool), TemporalExecutions(client), holder)
