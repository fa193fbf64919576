"""`clew publish` keeps the scenarios beside a journey, as mission control does."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from cli.publishing import _publish
from stores.database import Pool, open_pool
from stores.kept_scenarios import KeptScenarioStore
from tests.integration.cli.test_living_rules import CART

STORIES = """
scenarios:
  - scenario: Who buys nothing is lost
    when: [{does: Product Added}, {after: 3d}]
    then: {outcome: lost}
"""


@pytest_asyncio.fixture
async def pool(database: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Pool]:
    monkeypatch.setenv("CLEW_DATABASE_URL", database)
    opened = await open_pool(database)
    yield opened
    await opened.close()


async def test_scenarios_beside_a_journey_are_kept_with_its_version(
    pool: Pool, tmp_path: Path
) -> None:
    (tmp_path / "cart.journey.yaml").write_text(CART)
    (tmp_path / "cart.scenarios.yaml").write_text(STORIES)
    store = KeptScenarioStore(pool)

    [published] = (await _publish(tmp_path, [tmp_path])).journeys

    kept = await store.of("cart", published.version)
    assert kept is not None
    assert (kept.version, kept.source) == (published.version, STORIES)

    (tmp_path / "cart.scenarios.yaml").unlink()
    (tmp_path / "cart.journey.yaml").write_text(CART.replace("2d", "4d"))
    [later] = (await _publish(tmp_path, [tmp_path])).journeys

    assert later.version != published.version
    assert await store.of("cart", later.version) == kept, "who says nothing of them changes nothing"
    assert await store.of("tea", None) is None


async def test_scenarios_that_cannot_be_read_are_told_and_hold_no_journey_up(
    pool: Pool, tmp_path: Path
) -> None:
    (tmp_path / "journey.yaml").write_text(CART)
    (tmp_path / "scenarios.yaml").write_text(STORIES.replace("after: 3d", "after: 3x"))

    checked = await _publish(tmp_path, [tmp_path / "journey.yaml"])

    assert checked.problems == []
    assert any(each.file.endswith("scenarios.yaml") and each.line == 4 for each in checked.warnings)
    assert await KeptScenarioStore(pool).of("cart", checked.journeys[0].version) is None
