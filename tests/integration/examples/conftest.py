"""The examples as they are, or with their days as seconds, lived through on the real product."""

import shutil
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import pytest
import pytest_asyncio

from api.app import create_app
from api.cases import cases_router
from api.opened_links import OpeningLinks
from api.staff_key import StaffKeyCheck
from api.surveys import surveys_router
from channels.opened_link import OpenedLinks
from stores.answers import AnswerStore
from stores.published import PublishedStore
from tests.integration.conftest import SECRET, STAFF_TOKEN, SURVEYS, Stack, staff_client
from tests.integration.examples.shop import Shop
from workers.api import case_parts, wall_clock

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"

Shortened = Callable[[str, Mapping[str, str]], Path]


@pytest.fixture
def shortened(tmp_path: Path) -> Shortened:
    """A copy of an example in which some words are others, such as days that are seconds.

    What is to be replaced must be there: a journey that says it otherwise by now fails the test.
    """

    def shorten(example: str, words: Mapping[str, str]) -> Path:
        for landscape in EXAMPLES.glob("*.yaml"):
            shutil.copy(landscape, tmp_path)
        folder = shutil.copytree(EXAMPLES / example, tmp_path / example)
        journey = folder / "journey.yaml"
        text = journey.read_text()
        for before, after in words.items():
            assert before in text, f"examples/{example}/journey.yaml does not say {before!r}"
            text = text.replace(before, after)
        journey.write_text(text)
        return folder

    return shorten


@pytest_asyncio.fixture
async def shop(stack: Stack) -> AsyncIterator[Shop]:
    """The product, with the pages that customers open and the door that staff use."""
    staff = StaffKeyCheck(STAFF_TOKEN)
    app = create_app(
        cases_router(case_parts(stack.pool, stack.heard.set, staff), staff),
        surveys_router(
            SURVEYS,
            PublishedStore(stack.pool),
            AnswerStore(stack.pool, stack.heard.set),
            OpeningLinks(OpenedLinks("https://example.com", SECRET.encode(), wall_clock)),
        ),
    )
    async with staff_client(app, "https://example.com") as web:
        yield Shop(stack, web)
