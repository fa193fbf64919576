"""A journey's picture as a browser draws it: no text over another, and Mermaid reads what we write for it."""

import asyncio
import base64
import hashlib
import json
import subprocess
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from insight.graph_mermaid import in_label, mermaid_of
from insight.graph_svg import svg_of
from insight.journey_graph import journey_graph
from journey.publication import read_definition
from workers.embedded.finding_temporal import cache_folder

CLONE = Path(__file__).resolve().parents[2]
SHOWN = sorted(CLONE.glob("examples/*/journey.yaml"))
PICTURE = CLONE / "docs" / "pictures" / "journey-graph.png"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]

MERMAID = "mermaid@12.3.0"
MERMAID_SHA512 = (
    "4113TdXeLAsMruJ79OpFL5O8+LTFXhQqZ260rF3tgUmiNAtRm4Uume04I+65PRN6yZ69J4f8rVYWW8zRk65UYw=="
)

OVERLAPS = """() => {
  const texts = [...document.querySelectorAll('text')].map(t => [t.textContent, t.getBoundingClientRect()]);
  const found = [];
  texts.forEach(([one, a], i) => texts.slice(0, i).forEach(([other, b]) => {
    // The box of a line of text has room above and below its letters.
    if (a.left < b.right - 1 && b.left < a.right - 1 && a.top + 3 < b.bottom - 3 && b.top + 3 < a.bottom - 3)
      found.push(`${one} over ${other}`);
  }));
  for (const card of document.querySelectorAll('.card')) {
    const face = card.querySelector('.face').getBoundingClientRect();
    for (const text of card.querySelectorAll('text')) {
      const box = text.getBoundingClientRect();
      if (box.left < face.left || box.right > face.right || box.bottom > face.bottom + 1)
        found.push(`${text.textContent} beside its card`);
    }
  }
  return found;
}"""
DRAW = """async text => {
  await mermaid.parse(text);
  const { svg } = await mermaid.render('drawn', text);
  const page = document.createElement('div');
  page.innerHTML = svg;
  document.body.replaceChildren(page);
  return [...page.querySelectorAll('.node .nodeLabel p, .edgeLabel p, .cluster-label p')].map(p => p.innerText);
}"""

HOSTILE = [
    'say "hi" [x] {y} (z) | <b>bold</b> & é 漢字 😀 `code` **b** _i_ # %% ; end',
    "1. one",
    "- two",
    "* three",
    "+ four",
    "end",
    "\\n back",
    "$$x^2$$",
    "<script>alert(1)</script>",
    "a --> b",
    "%%{init: {}}%%",
    "https://example.com/a?b=c&d",
    "@{ shape: x }",
    "&quot; #quot; &#35;",
    "style n0 fill:#f00;",
    "classDef x: y#z;",
    "click n0 call x()",
    "~~~",
]


def svg(path: Path) -> str:
    return svg_of(journey_graph(read_definition(path.read_text(), str(path)).program))


@pytest_asyncio.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
def mermaid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Mermaid itself as one script, from the npm registry; without what it is made of, which it has inside."""
    script = cache_folder() / f"{MERMAID.replace('@', '-')}.js"
    if not script.exists():
        folder = tmp_path_factory.mktemp("mermaid")
        command = ["npm", "pack", MERMAID, "--json", "--pack-destination", str(folder)]
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=250)
        [packed] = folder.glob("*.tgz")
        digest = hashlib.sha512(packed.read_bytes()).digest()
        assert base64.b64encode(digest).decode() == MERMAID_SHA512
        with tarfile.open(packed) as tar:
            inside = tar.extractfile("package/dist/mermaid.min.js")
            assert inside is not None
            part = script.with_suffix(".part")
            part.write_bytes(inside.read())
        part.replace(script)
    return script


async def picture(
    browser: Browser, drawn: str, folder: Path, scheme: Any = "light", *, whole: bool = True
) -> Page:
    """The picture by itself; `whole` as large as it is, which takes seconds to paint."""
    page = await browser.new_page(color_scheme=scheme)
    await asyncio.to_thread((folder / "graph.svg").write_text, drawn)
    await page.goto((folder / "graph.svg").as_uri())
    if not whole:
        return page
    size: dict[str, int] = await page.evaluate(
        "() => ({width: document.documentElement.width.baseVal.value,"
        " height: document.documentElement.height.baseVal.value})"
    )
    await page.set_viewport_size({"width": size["width"], "height": size["height"]})
    return page


async def test_no_text_lies_over_another_or_beside_its_step(
    browser: Browser, tmp_path: Path
) -> None:
    for path in SHOWN:
        page = await picture(browser, svg(path), tmp_path, whole=False)
        assert await page.locator("text").count() > 20
        assert await page.evaluate(OVERLAPS) == [], path
        await page.close()


async def test_by_night_it_is_dark_and_by_day_light(browser: Browser, tmp_path: Path) -> None:
    ground = "() => getComputedStyle(document.querySelector('.ground')).fill"
    shades = [
        await (await picture(browser, svg(SHOWN[0]), tmp_path, scheme)).evaluate(ground)
        for scheme in ("light", "dark")
    ]

    assert shades == ["rgb(243, 241, 236)", "rgb(12, 18, 25)"]


@pytest.mark.needs("npm")
async def test_mermaid_draws_what_we_write_for_it(browser: Browser, mermaid: Path) -> None:
    page = await browser.new_page()
    await page.set_content("<html><body></body></html>")
    await page.add_script_tag(path=mermaid)
    await page.evaluate("mermaid.initialize({startOnLoad: false})")

    for path in SHOWN:
        graph = journey_graph(read_definition(path.read_text(), str(path)).program)
        labels: list[str] = await page.evaluate(DRAW, mermaid_of(graph))
        edges = [edge for edge in graph.edges if edge.words]
        assert len(labels) == len(graph.nodes) + len(edges) + len(graph.groups), path
    for words in HOSTILE:
        label = in_label(words)
        text = (
            f'flowchart TD\n subgraph g0["{label}"]\n n0["{label}"]\n end\n n0 -->|"{label}"| n0\n'
        )
        assert await page.evaluate(DRAW, text) == [words] * 3, json.dumps(words)


@pytest.mark.pictures
async def test_picture_of_a_journey(browser: Browser, tmp_path: Path) -> None:
    [cart] = [path for path in SHOWN if path.parent.name == "abandoned-cart"]
    page = await picture(browser, svg(cart), tmp_path)
    await page.screenshot(path=PICTURE)

    assert PICTURE.stat().st_size < 150_000
