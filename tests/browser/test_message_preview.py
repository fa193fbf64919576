"""A message is seen as on a desk and on a phone before anybody gets it."""

from pathlib import Path

import pytest
from playwright.async_api import async_playwright

from cli.preview import preview

HEAD = b"\x89PNG\r\n\x1a\n"
MESSAGE = """---
subject: "Late"
mjml: |
  <mjml><mj-body>
    <mj-section background-color="#17324d">
      <mj-column><mj-text color="#ffffff">Meridian</mj-text></mj-column>
    </mj-section>
    <mj-section>
      <mj-column><mj-text>One side</mj-text></mj-column>
      <mj-column><mj-text>Other side</mj-text></mj-column>
    </mj-section>
  </mj-body></mjml>
---
"""


def size(picture: Path) -> tuple[int, int]:
    """Width and height, as the head of a PNG says (https://www.w3.org/TR/png-3/#11IHDR)."""
    raw = picture.read_bytes()
    assert raw.startswith(HEAD)
    return int.from_bytes(raw[16:20], "big"), int.from_bytes(raw[20:24], "big")


@pytest.mark.needs("chromium")
def test_a_picture_shows_all_of_a_mail_at_both_widths(
    tmp_path: Path,
) -> None:
    (tmp_path / "late.md").write_text(MESSAGE)

    preview(str(tmp_path / "late.md"), png=tmp_path / "mail.png")

    width, height = size(tmp_path / "mail.png")
    assert width == 760 + 390 + 3 * 32
    assert 200 < height < 700


async def test_columns_of_a_mail_stand_below_each_other_on_a_phone(
    chromium: str, tmp_path: Path
) -> None:
    """What the compiler wrote for small screens survives the inlining of styles."""
    (tmp_path / "late.md").write_text(MESSAGE)
    preview(str(tmp_path / "late.md"), html=tmp_path / "late.html")

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        tops: dict[int, list[float]] = {}
        for width in (390, 760):
            page = await browser.new_page(viewport={"width": width, "height": 800})
            await page.goto((tmp_path / "late.html").as_uri())
            boxes = [
                await page.get_by_text(side).bounding_box() for side in ("One side", "Other side")
            ]
            tops[width] = [box["y"] for box in boxes if box is not None]
        await browser.close()

    assert tops[760][0] == tops[760][1]
    assert tops[390][0] < tops[390][1]
