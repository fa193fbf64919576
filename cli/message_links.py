"""`clew links`: where the links of messages lead, and whether anything is there."""

import re
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import FAILED, WRONG_USE, AsJson, CommandError, print_json, print_table, run, say

if TYPE_CHECKING:
    from activities.message_text import PublishedMessage
    from channels.link_check import CheckedLink

MOST_LINKS = 1_000
_LINK = re.compile(r"https?://[^\s<>\"']*(?<![.,;:!?)\]])")
_IN_MARKUP = re.compile(r"(?:href|src)\s*=\s*[\"'](https?://[^\"']+)", re.IGNORECASE)
# What a template writes out; that it fills in is known only with values.
_PLAIN = re.compile(r"https?://[^\s<>\"'{}]*(?<![.,;:!?)\]{}])(?!\{)")
_NOWHERE = ("https://example.com/s", "http://www.w3.org/")

_Paths = Annotated[
    list[Path], typer.Argument(metavar="PATH…", help="Messages (.md), or folders to look through.")
]
_Offline = Annotated[bool, typer.Option("--offline", help="List the links; ask nobody.")]
_Allow = Annotated[
    list[str] | None,
    typer.Option("--allow", metavar="HOST", help="A host that may have a private address."),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("links")(links)


def links(
    paths: _Paths, offline: _Offline = False, allow: _Allow = None, as_json: AsJson = False
) -> None:
    """Ask for every link of messages, many at once. Exit code 1 where one leads nowhere."""
    found = _links(paths)
    if len(found) > MOST_LINKS:
        words = f"{len(found)} links are more than are asked for at once ({MOST_LINKS}); name fewer files."
        raise CommandError(words, WRONG_USE)
    checked = [] if offline else run(_ask(list(found), allow or []))
    state = {each.url: each for each in checked}
    if as_json:
        print_json([_told(url, files, state.get(url)) for url, files in found.items()])
    else:
        rows = [
            (
                state[url].state if url in state else "",
                url,
                ", ".join(files),
                _words(state.get(url)),
            )
            for url, files in found.items()
        ]
        print_table(("", "link", "in", ""), rows)
        broken = sum(each.state == "broken" for each in checked)
        say(f"{len(found)} links{'' if offline else f', {broken} of them broken'}.")
    if any(each.state == "broken" for each in checked):
        raise typer.Exit(FAILED)


async def _ask(urls: list[str], allowed: list[str]) -> "list[CheckedLink]":
    from channels.link_check import LinkCheck

    check = LinkCheck(allowed=allowed)
    try:
        return await check.check(urls)
    finally:
        await check.close()


def _links(paths: list[Path]) -> dict[str, list[str]]:
    """Each link, and the messages that it is in."""
    found: dict[str, list[str]] = {}
    for path in _messages(paths):
        for url in dict.fromkeys(_links_of(path)):
            if not url.startswith(_NOWHERE):
                found.setdefault(url, []).append(str(path))
    return dict(sorted(found.items()))


def _links_of(path: Path) -> list[str]:
    """Those of every variant as it is filled in with its example, and those that are written out."""
    from channels.message_variants import each_variant
    from cli.message_sources import example_values, message_beside
    from cli.message_values import in_words
    from cli.scenario_values import scenario_values

    message = message_beside(path)
    links: list[str] = []
    given: dict[str, Any] = example_values(path) or scenario_values(path, message.name, None)
    for whom, _ in each_variant(message):
        try:
            words = in_words(message, given, whom)
        except CommandError:
            links += _written_out(message)
            continue
        links += _LINK.findall(words.text)
        links += [unescape(url) for url in _IN_MARKUP.findall(words.html or "")]
    return links


def _written_out(message: "PublishedMessage") -> list[str]:
    from channels.message_bundle import files_of

    texts = files_of(message.name, message.source).values()
    return [unescape(url) for text in texts for url in _PLAIN.findall(text)]


def _messages(paths: list[Path]) -> list[Path]:
    from channels.message_bundle import message_of

    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            here = [path] if path.name == "messages" else sorted(path.rglob("messages"))
            found += [each for folder in here for each in sorted(folder.glob("*.md"))]
        elif path.suffix == ".md" and path.is_file():
            found.append(path)
        else:
            raise CommandError(f"{path}: is no message (.md) and no folder.", WRONG_USE)
    bases = [path.with_name(f"{message_of(path.name)}.md") for path in found]
    return [path for path in dict.fromkeys(bases) if path.is_file()]


def _words(checked: "CheckedLink | None") -> str:
    return checked.words if checked else ""


def _told(url: str, files: list[str], checked: "CheckedLink | None") -> dict[str, Any]:
    told: dict[str, Any] = {"url": url, "files": files}
    return {**told, "state": checked.state, "words": checked.words} if checked else told
