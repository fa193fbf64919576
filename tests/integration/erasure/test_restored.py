"""A backup of before an erasure, restored: whom it brings back is erased again."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from stores.database import open_pool
from tests.integration.erasure.conftest import CANARY, SECRET, House
from tests.security.canaries import dump, restore
from workers.embedded.postgres_server import PostgresServer

ANNA = ("user_id", f"{CANARY}-anna")


async def test_whom_a_restored_backup_brings_back_is_erased_again_and_nobody_else(
    house: House, postgres: PostgresServer
) -> None:
    anna = await house.known(ANNA, first_name=CANARY)
    await house.filled(anna)
    ben = await house.known(("user_id", "ben"))
    backup = dump(house.url)
    await house.erased(anna)
    kept = [{"erasure": p.erasure, "customers": p.customers} for p in await house.erasures.proofs()]
    url = await postgres.create_database("restored")
    restore(url, backup)
    pool = await open_pool(url)
    restored = House(pool, url)
    assert anna in str(await restored.rows("select customer from customers"))

    for customer, of in await restored.erasures.brought_back(kept):
        assert (customer, of) == (anna, kept[0]["erasure"])
        await restored.erased(customer)

    assert set(await restored.hits(anna)) <= {"audit"}
    assert await restored.customers.customer(ben) is not None
    assert await restored.erasures.brought_back(kept) == []
    await pool.close()
    await postgres.drop_database("restored")


def test_proofs_hold_no_personal_data_and_are_known_by_their_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has the file but not the secret learns nothing of whom it is."""
    monkeypatch.setenv("CLEW_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    monkeypatch.setenv("CLEW_SECRET", SECRET.decode())
    monkeypatch.setenv("CLEW_PUBLIC_URL", "http://127.0.0.1")
    wrong = tmp_path / "proofs"
    wrong.write_text(json.dumps({"what": "else"}))

    told = CliRunner().invoke(app, ["erase", "--replay", str(wrong)])
    assert "these are no proofs" in str(told.exception)
    both = CliRunner().invoke(app, ["erase", "anna", "--resume"])
    assert "name a CUSTOMER or --identity" in str(both.exception)
    name = CliRunner().invoke(app, ["erase", "--identity", "anna"])
    assert "email:anna@example.com" in str(name.exception)
