"""Pages of staff in a real browser: a house that is served, members who are signed in, what is wrong with a page."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, async_playwright

from stores.database import Pool, open_pool
from tests.integration.api.conftest import serving
from tests.integration.control.control_house import ControlHouse
from tests.integration.inbox.staff_house import StaffHouse
from tests.unit.insight.recordings import TEA
from workers.embedded.postgres_server import PostgresServer

PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
PHONE, DESK = 390, 1280
Theme = Literal["light", "dark"]


in_every_light = pytest.mark.parametrize("theme", ["light", "dark"])
in_every_width = pytest.mark.parametrize("width", [DESK, PHONE])


class Inbox:
    """A house with staff, served, and pages in which somebody is signed in."""

    def __init__(self, house: StaffHouse, address: str, browser: Browser) -> None:
        self.house, self.address, self.browser = house, address, browser

    async def page(
        self, member: str | None, width: int = DESK, theme: Theme = "light", *, scripts: bool = True
    ) -> Page:
        """A page of its own context. The icon, for which a browser asks of its own accord, is there."""
        context = await self.browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=theme, locale="en-GB",
            java_script_enabled=scripts, base_url=self.address,
        )  # fmt: skip
        context.set_default_timeout(120_000)
        await context.route("**/favicon.ico", lambda route: route.fulfill(status=204))
        if member is not None:
            cookie = await self.house.sign_ins.begin(member, "test")
            await context.add_cookies(
                [{"name": "clew-staff", "value": cookie, "url": self.address}]
            )
        return await context.new_page()

    @asynccontextmanager
    async def shown(self, member: str, path: str, width: int, theme: Theme) -> AsyncGenerator[Page]:
        """A page of somebody who is signed in, at this address."""
        page = await self.page(member, width, theme)
        await page.goto(path)
        yield page
        await page.context.close()


@dataclass(slots=True, frozen=True, kw_only=True)
class Places:
    """Where houses are put up: databases that are migrated, a browser, and a folder for what passes."""

    postgres: PostgresServer
    migrated_template: str
    chromium: str
    folder: Path

    @asynccontextmanager
    async def database(self, name: str) -> AsyncGenerator[tuple[str, Pool]]:
        """A database of its own, which no other file of tests may name so."""
        url = await self.postgres.create_database(name, template=self.migrated_template)
        async with await open_pool(url, most=8) as pool:
            yield url, pool

    @asynccontextmanager
    async def served(self, house: StaffHouse) -> AsyncGenerator[Inbox]:
        """The house's pages in a browser."""
        async with AsyncExitStack() as parts:
            address = await parts.enter_async_context(serving(house.app()))
            parts.callback(house.stopping.set)
            playwright = await parts.enter_async_context(async_playwright())
            browser = await playwright.chromium.launch(
                executable_path=self.chromium, args=ARGUMENTS
            )
            parts.push_async_callback(browser.close)
            yield Inbox(house, address, browser)

    @asynccontextmanager
    async def lived_in(
        self, name: str, *, many: int = 400, source: str = TEA
    ) -> AsyncGenerator[ControlHouse]:
        """A furnished house through whose journey so many guests went."""
        async with self.database(name) as (url, pool):
            house = ControlHouse(pool, url)
            await house.furnish()
            await house.lived(url, self.folder, many=many, source=source)
            yield house

    @asynccontextmanager
    async def mission_control(self, house: ControlHouse) -> AsyncGenerator[Inbox]:
        """Its pages, which hear what changes."""
        async with house.ear, self.served(house) as pages:
            yield pages


async def faults(page: Page) -> list[str]:
    """What axe finds wrong, by rule and place."""
    found = await Axe().run(page)
    return [
        f"{rule['id']}: {place['html'][:160]}"
        for rule in found.response["violations"]
        for place in rule["nodes"]
    ]


async def fits_everybody(page: Page, width: int) -> None:
    """Nothing is in anybody's way, and the page is no wider than the screen."""
    assert await faults(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth") <= width


async def picture(page: Page, name: str, width: int, theme: Theme, *, whole: bool = True) -> None:
    """Kept in docs/pictures, named by what it is of, the width and the shade. `whole`: also what is below."""
    size = "-phone" if width == PHONE else ""
    shade = "-dark" if theme == "dark" else ""
    await page.screenshot(path=PICTURES / f"control-{name}{size}{shade}.png", full_page=whole)
