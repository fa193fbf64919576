"""A new installation's servers are made ready, and being made ready twice does no harm."""

import pytest
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.client import Client

from contracts.search_attributes import SEARCH_ATTRIBUTES
from deploy import prepare
from stores.migrations import pending
from workers.embedded.postgres_server import PostgresServer


async def test_servers_may_be_prepared_twice(
    postgres: PostgresServer, temporal_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = await postgres.create_database("clew_prepared")
    monkeypatch.setenv("CLEW_DATABASE_URL", url)
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal_address)
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "made-for-clew")

    assert await prepare.main() == 0
    assert await prepare.main() == 0

    assert pending(url) == []
    client = await Client.connect(temporal_address, namespace="made-for-clew")
    known = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace="made-for-clew")
    )
    assert {key.name for key in SEARCH_ATTRIBUTES} <= set(known.custom_attributes)


async def test_a_missing_setting_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert await prepare.main() == 2

    assert "CLEW_DATABASE_URL" in capsys.readouterr().err
