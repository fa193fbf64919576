"""How values cross to Temporal and back: plain JSON, sealed with the keys of customers."""

import time
from dataclasses import dataclass

from temporalio.converter import (
    DataConverter,
    DefaultFailureConverter,
    PayloadCodec,
)

from contracts.converter import ClewPayloadConverter, SealedFailureConverter
from contracts.definition_codec import DefinitionCodec, Definitions
from contracts.history_codec import HistoryCodec, HistoryKeys
from stores.database import Pool
from stores.history_keys import HistoryKeyStore
from workers.signing_settings import HistorySettings


@dataclass(frozen=True, slots=True)
class Sealing:
    """Keys of history, and whether new payloads are sealed with them."""

    keys: HistoryKeys
    seals: bool = True


def data_converter(
    definitions: Definitions | None = None, sealing: Sealing | None = None
) -> DataConverter:
    """How values cross: plain JSON, sealed where there are keys, with definitions fetched beside the history."""
    codec: PayloadCodec | None = DefinitionCodec(definitions) if definitions is not None else None
    seals = sealing is not None and sealing.seals
    if sealing is not None:
        codec = HistoryCodec(sealing.keys, inner=codec, seals=sealing.seals)
    return DataConverter(
        payload_converter_class=ClewPayloadConverter,
        failure_converter_class=(SealedFailureConverter if seals else DefaultFailureConverter),
        payload_codec=codec,
    )


def sealing(settings: HistorySettings, pool: Pool) -> Sealing:
    """What this process seals and opens history with."""
    keys = HistoryKeyStore(pool, settings.master_keys(), time.monotonic)
    return Sealing(keys, seals=settings.history_encryption == "on")
