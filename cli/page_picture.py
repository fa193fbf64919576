"""A picture of a page, by the Chromium that is on this machine."""

import os
import re
import subprocess
import tempfile
from pathlib import Path

from cli.output import FAILED, CommandError

WITHIN_SECONDS = 60
TALLEST = 8_000
"""Pixels; what is longer is cut."""

_ARGUMENTS = (
    "--headless",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--run-all-compositor-stages-before-draw",
    "--virtual-time-budget=5000",
)
_HEIGHT = re.compile(r'data-height="(\d+)"')


def take_picture(html: str, width: int, picture: Path) -> None:
    """Write the whole page as PNG. It says its height itself, as `data-height` of its body.

    Raises: `CommandError` where there is no Chromium, or it fails.
    """
    from deploy.tools import find, remedy

    chromium = find("chromium")
    if chromium is None:
        words = f"A picture needs Chromium, which is not here: {remedy(['chromium'])}. --html needs none."
        raise CommandError(words)
    with tempfile.TemporaryDirectory(prefix="clew-preview-") as folder:
        page, taken = Path(folder) / "page.html", Path(folder) / "page.png"
        page.write_text(html, encoding="utf-8")
        profile = f"--user-data-dir={folder}/profile"
        # As root, as in a container, Chromium refuses to start with its sandbox.
        rootly = ["--no-sandbox"] if os.geteuid() == 0 else []
        command = [str(chromium), *_ARGUMENTS, *rootly, profile]
        address = page.as_uri()
        dom = _run([*command, f"--window-size={width},800", "--dump-dom", address])
        found = _HEIGHT.search(dom)
        height = min(int(found.group(1)), TALLEST) if found else 800
        _run([*command, f"--window-size={width},{height}", f"--screenshot={taken}", address])
        if not taken.exists():
            raise CommandError(f"{chromium} took no picture. Try --html.")
        try:
            picture.write_bytes(taken.read_bytes())
        except OSError as error:
            words = f"{picture}: cannot be written: {error.strerror}. Name one that may be."
            raise CommandError(words) from None


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=WITHIN_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        words = f"{command[0]} did not answer within {WITHIN_SECONDS} seconds. Try --html."
        raise CommandError(words) from None
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()
        words = said[-1] if said else f"exit code {done.returncode}"
        raise CommandError(f"{command[0]} failed: {words}. Try --html.", FAILED)
    return done.stdout
