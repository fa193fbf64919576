"""What pages of staff are looked at with."""

import pytest

from tests.browser.staff_pages import Places
from workers.embedded.postgres_server import PostgresServer


@pytest.fixture(scope="module")
def places(
    postgres: PostgresServer,
    migrated_template: str,
    chromium: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Places:
    """Where a file of tests puts up its house."""
    return Places(
        postgres=postgres,
        migrated_template=migrated_template,
        chromium=chromium,
        folder=tmp_path_factory.mktemp("tea"),
    )
