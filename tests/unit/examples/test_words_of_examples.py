"""The words of the examples: each is read by somebody, in a language of theirs, and none is meant by two names."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import JsonValue

from activities.message_text import PublishedMessage, RenderFor
from channels.message_bundle import message_of
from channels.message_renderer import MessageFileRenderer
from insight.scenario import read_scenarios

EXAMPLES = Path("examples")
STORIES = sorted(EXAMPLES.glob("*/*scenarios.yaml"))


def told_of(folder: Path) -> Iterator[str]:
    """Messages that some scenario of an example says were sent."""
    for path in STORIES:
        if path.parent == folder:
            for story in read_scenarios(path.read_text(), str(path)).scenarios:
                for expected in (story.then, *(when.expect for when in story.when)):
                    yield from expected.sent if expected is not None else ()


@pytest.mark.parametrize("folder", sorted({path.parent for path in STORIES}), ids=str)
def test_every_message_is_sent_in_some_scenario(folder: Path) -> None:
    written = {message_of(path.name) for path in (folder / "messages").glob("*.md")}

    assert written - set(told_of(folder)) == set()


@pytest.mark.parametrize("kind", ["messages/*.md", "surveys/*.yaml"])
def test_all_examples_can_live_in_one_installation(kind: str) -> None:
    """Messages and surveys bind by name alone."""
    names = Counter(
        path.name.split(".")[0] for path in EXAMPLES.glob(f"*/{kind}") if path.name.count(".") == 1
    )

    assert [name for name, times in names.items() if times > 1] == []


@pytest.mark.parametrize(
    ("language", "greeting"), [("cs", "Dobrý den"), ("de", "Guten Tag"), ("en", "Hello there")]
)
@pytest.mark.parametrize(
    "name",
    ["service-affected", "answer-to-your-call", "fault-takes-longer", "not-yet", "mended"],
)
def test_a_fault_is_told_in_the_customers_language(name: str, language: str, greeting: str) -> None:
    source = (EXAMPLES / f"preventive-service/messages/{name}.md").read_text()
    message = PublishedMessage(name=name, revision="", source=source)
    values: dict[str, JsonValue] = {
        "run": {"what": "internet", "until": "2026-03-02T16:00:00Z"},
        "customer": {"language": language, "zone": "Europe/Prague"},
    }

    words = MessageFileRenderer().render(
        message, values, datetime(2026, 3, 2, 9, tzinfo=UTC), RenderFor()
    )

    assert words.text.startswith(greeting)
    assert name == "mended" or "17:00" in words.text
    assert words.subject
