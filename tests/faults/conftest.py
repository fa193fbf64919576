"""What the tests of faults stand on: a folder for an installation, and a database."""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from stores.database import Pool, open_pool

KEEP = bool(os.environ.get("CLEW_FAULTS_KEEP"))


@pytest.fixture
def state() -> Iterator[Path]:
    """A folder with a short path: a socket's name has little room."""
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    yield folder
    if KEEP:
        print(f"\nkept: {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)


@pytest_asyncio.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    opened = await open_pool(database, most=30)
    yield opened
    await opened.close()
