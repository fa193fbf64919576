"""How a browser follows the link of a message: with our script, or without one as its reader does."""

from playwright.async_api import Page

_WAITS = "form[data-opens]:not([hidden])"


async def follow(page: Page, link: str) -> None:
    """Go there; our script hands over what stands behind the #, and the page itself is there."""
    await page.goto(link)
    await page.locator(_WAITS).wait_for(state="detached")


async def put_in(page: Page, link: str) -> None:
    """Go there without a script, and put the link that was copied into the form."""
    await page.goto(link)
    await page.locator("#link").fill(link)
    await page.locator(f"{_WAITS} button").click()
    await page.locator(_WAITS).wait_for(state="detached")
