"""What Temporal stores of a customer opens with that customer's key, and with nothing else."""

import base64

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.converter import WorkflowSerializationContext

from contracts.converter import Answer, ClewPayloadConverter
from contracts.history_codec import KEY_ID, SEALED, HistoryCodec
from contracts.ids import owner_of, workflow_id
from contracts.sealing import (
    MasterKeys,
    SealBrokenError,
    UnknownMasterKeyError,
    new_key,
    pack,
    unpack,
)

SECRET = "s" * 32
ANNA = workflow_id("flight", "c_anna", "PNR7")
CARRIED = Payload(
    metadata={"encoding": b"json/plain", "clew-definition": b"f00"}, data=b'{"a":"canary"}'
)


class Keys:
    """Keys in memory; `gone` are destroyed."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, int], bytes] = {}
        self.newest_of: dict[str, int] = {}
        self.gone: set[str] = set()

    async def newest(self, owner: str) -> tuple[int, bytes] | None:
        if owner in self.gone:
            return None
        n = self.newest_of.setdefault(owner, 1)
        return n, self.kept.setdefault((owner, n), new_key())

    async def find(self, owner: str, n: int) -> bytes | None:
        return None if owner in self.gone else self.kept.get((owner, n))


def of(codec: HistoryCodec, run: str) -> HistoryCodec:
    return codec.with_context(WorkflowSerializationContext(namespace="default", workflow_id=run))


async def test_a_payload_is_sealed_and_opens_as_it_was_with_its_definition() -> None:
    codec = of(HistoryCodec(Keys()), ANNA)

    (sealed,) = await codec.encode([CARRIED])

    assert sealed.metadata == {"encoding": SEALED, KEY_ID: b"1/c_anna"}
    assert b"canary" not in sealed.SerializeToString()
    assert await codec.decode([sealed]) == [CARRIED]


async def test_who_looks_without_a_run_at_hand_opens_by_the_name_in_the_payload() -> None:
    keys = Keys()
    (sealed,) = await of(HistoryCodec(keys), ANNA).encode([CARRIED])

    assert await HistoryCodec(keys).decode([sealed]) == [CARRIED]


async def test_a_payload_moved_to_another_customer_does_not_open() -> None:
    keys = Keys()
    (sealed,) = await of(HistoryCodec(keys), ANNA).encode([CARRIED])
    bobs = of(HistoryCodec(keys), workflow_id("flight", "c_bob"))
    await bobs.encode([CARRIED])
    renamed = Payload(metadata={**sealed.metadata, KEY_ID: b"1/c_bob"}, data=sealed.data)

    for moved in (sealed, renamed):
        (opened,) = await bobs.decode([moved])
        assert b"__erased__" in opened.data


async def test_after_a_rotation_new_payloads_have_the_new_key_and_old_ones_still_open() -> None:
    keys = Keys()
    codec = of(HistoryCodec(keys), ANNA)
    (old,) = await codec.encode([CARRIED])
    keys.newest_of["c_anna"] = 2

    (new,) = await codec.encode([CARRIED])

    assert new.metadata[KEY_ID] == b"2/c_anna"
    assert await codec.decode([old, new]) == [CARRIED, CARRIED]


async def test_of_an_erased_customer_nothing_opens_and_nothing_is_sealed_anew() -> None:
    keys = Keys()
    codec = of(HistoryCodec(keys), ANNA)
    (sealed,) = await codec.encode([CARRIED])
    keys.gone.add("c_anna")

    (opened,) = await codec.decode([sealed])
    (written,) = await codec.encode([CARRIED])

    assert ClewPayloadConverter().from_payloads([opened])[0]["__erased__"] is True
    assert b"canary" not in written.SerializeToString()


async def test_what_comes_plain_is_taken_as_it_is() -> None:
    assert await of(HistoryCodec(Keys()), ANNA).decode([CARRIED]) == [CARRIED]


async def test_switched_off_nothing_new_is_sealed_and_what_is_sealed_opens() -> None:
    keys = Keys()
    (sealed,) = await of(HistoryCodec(keys), ANNA).encode([CARRIED])
    off = of(HistoryCodec(keys, seals=False), ANNA)

    assert await off.encode([CARRIED]) == [CARRIED]
    assert await off.decode([sealed]) == [CARRIED]


@pytest.mark.parametrize("seals", [True, False])
async def test_an_answer_stays_readable_for_every_client(seals: bool) -> None:
    (answer,) = ClewPayloadConverter().to_payloads([Answer({"stage": "booked"})])

    (said,) = await of(HistoryCodec(Keys(), seals=seals), ANNA).encode([answer])

    assert said == Payload(metadata={"encoding": b"json/plain"}, data=b'{"stage":"booked"}')


@pytest.mark.parametrize(
    "name", [b"", b"1", b"x/c_anna", b"99999999999/c_anna", b"\xff/\xff", b"7/c_anna"]
)
async def test_nonsense_in_a_payload_reads_as_a_tombstone_and_raises_nothing(name: bytes) -> None:
    nonsense = Payload(metadata={"encoding": SEALED, KEY_ID: name}, data=b"\0" * 40)

    (opened,) = await of(HistoryCodec(Keys()), ANNA).decode([nonsense])

    assert b"__erased__" in opened.data


@pytest.mark.parametrize(
    ("run", "owner"),
    [
        (ANNA, "c_anna"),
        (workflow_id("flight", "a/b@c.de"), "a/b@c.de"),
        ("journey/flight/%ff%00x", "\ufffd\ufffdx"),
        ("case/1", "case/1"),
        ("journey/a/b/c/d", "journey/a/b/c/d"),
    ],
)
def test_the_owner_is_the_customer_in_the_id_of_the_run(run: str, owner: str) -> None:
    assert owner_of(run) == owner


def test_a_key_opens_under_its_master_key_for_its_owner_only() -> None:
    text = base64.b64encode(b"k" * 32).decode()
    masters = MasterKeys.read(f"2026:{text}", SECRET)
    key = new_key()
    kept = masters.wrap(key, "c_anna", 1)

    assert kept.master == "2026"
    assert masters.unwrap(kept, "c_anna", 1) == key
    with pytest.raises(SealBrokenError):
        masters.unwrap(kept, "c_bob", 1)
    with pytest.raises(UnknownMasterKeyError, match="'2026': name it in CLEW_HISTORY_KEYS"):
        MasterKeys.read(None, SECRET).unwrap(kept, "c_anna", 1)


def test_keys_from_the_secret_open_when_master_keys_are_named_later() -> None:
    kept = MasterKeys.read(None, SECRET).wrap(key := new_key(), "c_anna", 1)
    text = base64.b64encode(b"k" * 32).decode()

    assert MasterKeys.read(f"2026:{text}", SECRET).unwrap(kept, "c_anna", 1) == key


@pytest.mark.parametrize("told", ["2026", "2026:abc", ":" + "A" * 44, "2026:" + "A" * 20])
def test_a_master_key_that_cannot_be_read_is_refused_with_how_to_make_one(told: str) -> None:
    with pytest.raises(ValueError, match="openssl rand"):
        MasterKeys.read(told, SECRET)


def test_packing_makes_long_text_shorter_and_gives_all_of_it_back() -> None:
    long = b'{"touchpoint":"Product Added"}' * 100

    assert len(pack(long)) < len(long) / 5
    assert unpack(pack(long)) == long
    assert unpack(pack(b"short")) == b"short"
    for broken in (b"", b"\2abc", b"\1abc", pack(long)[:-4]):
        with pytest.raises(SealBrokenError):
            unpack(broken)
