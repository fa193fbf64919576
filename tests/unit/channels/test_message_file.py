"""A message file is refused with its line and the remedy before a customer could meet its fault."""

from datetime import UTC, datetime

import pytest
from pydantic import JsonValue

from activities.message_text import MessageCannotRenderError, PublishedMessage, RenderFor
from channels.message_file import MessageFileError, parse_message
from channels.message_renderer import MessageFileRenderer

NOW = datetime(2013, 2, 8, 17, 2, tzinfo=UTC)

BOARDING = """---
subject: "Gate {{ run.gate }} for {{ customer.first_name | default: 'you' }}"
purpose: service
---
Dear {{ customer.first_name | default: "traveller" }},

your flight boards at {{ run.boards | time }}.
"""


def published(source: str) -> PublishedMessage:
    return PublishedMessage(name="boarding", revision="r", source=source)


def test_a_message_has_a_subject_a_purpose_and_a_text() -> None:
    message = parse_message("boarding", BOARDING)

    assert message.purpose == "service"
    assert (message.subject or "").startswith("Gate")
    assert message.text.startswith("Dear")
    assert message.names == {"run.gate", "customer.first_name", "run.boards"}


def test_the_purpose_may_be_left_to_the_send() -> None:
    assert parse_message("m", "---\nsubject: Hello\n---\nHi.\n").purpose is None


@pytest.mark.parametrize(
    ("source", "line", "problem"),
    [
        ("Hello", 1, "does not begin with ---"),
        ("", 1, "does not begin with ---"),
        ("---\nsubject: Hi\n", 1, "never ends"),
        ("---\n---\nHi", 2, "has no fields"),
        ("---\npurpose: service\n---\nHi", 2, "subject: is missing"),
        ("---\nsubject: Hi\npurpose: spam\n---\nHi", 3, "purpose: 'spam'"),
        ("---\nsubject: Hi\n\nfrom: me\n---\nHi", 4, "unknown field 'from'"),
        ("---\nsubject: a: b\n---\nHi", 2, "is not YAML"),
        ("---\nsubject: {{ run.gate }}\n---\nHi", 2, "is not YAML"),
        ('---\nsubject: "{{ run.gate"\n---\nHi', 2, "expected '}}'"),
        ("---\nsubject: Hi\n---\n", 4, "has no text"),
        ("---\nsubject: Hi\n---\nDear\n{% if x %}\n", 5, "endif"),
        ("---\nsubject: Hi\nhtml: |\n  <p>\n  {{ a | }}\n---\nHi\n", 5, "expected"),
        ("---\nsubject: Hi\n---\nDear\n{{ name | upcase | shout }}\n", 5, "unknown filter 'shout'"),
        (
            "---\nsubject: Hi\nhtml: |\n  <p>\n  {{ a | safe }}\n---\nHi\n",
            5,
            "unknown filter 'safe'",
        ),
        ("---\nsubject: &a Hi\nhtml: *a\n---\nHi\n", 3, "alias"),
        ("---\nsubject: Hi\nhtml: 7\n---\nHi\n", 3, "html: is not text"),
        ("---\nsubject: " + "x" * 501 + "\n---\nHi\n", 2, "too long"),
        ("---\nsubject: Hi\n---\n" + "x" * 100_001, 1, "100021 characters"),
    ],
)
def test_a_fault_is_told_with_file_line_and_remedy(source: str, line: int, problem: str) -> None:
    with pytest.raises(MessageFileError) as caught:
        parse_message("boarding", source)

    assert (caught.value.name, caught.value.line) == ("boarding", line)
    assert problem in caught.value.problem
    assert caught.value.remedy
    assert str(caught.value).startswith(f"boarding, line {line}: ")


def test_a_message_is_put_into_words_for_one_customer() -> None:
    values: dict[str, JsonValue] = {
        "run": {"gate": "B4", "boards": "2013-02-08T19:05:00Z"},
        "customer": {"first_name": "Anna", "zone": "Europe/Prague"},
    }

    words = MessageFileRenderer().render(published(BOARDING), values, NOW, RenderFor())

    assert words.subject == "Gate B4 for Anna"
    assert words.text == "Dear Anna,\n\nyour flight boards at 20:05.\n"


def test_a_variable_that_is_missing_is_told_by_its_line_in_the_file() -> None:
    with pytest.raises(MessageCannotRenderError) as caught:
        MessageFileRenderer().render(published(BOARDING), {"run": {"gate": "B4"}}, NOW, RenderFor())

    assert (caught.value.name, caught.value.line) == ("boarding", 7)
    assert "run.boards is undefined" in str(caught.value)


def test_a_line_break_in_a_value_stays_out_of_the_subject() -> None:
    source = '---\nsubject: "Hello {{ name }}"\n---\nHi\n'

    words = MessageFileRenderer().render(
        published(source), {"name": "A\r\nBcc: all@example.com"}, NOW, RenderFor()
    )

    assert words.subject == "Hello A Bcc: all@example.com"
