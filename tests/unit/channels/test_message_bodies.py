"""What leaves for a customer: both parts of a mail, in the house's voice, with what goes along."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from activities.message_text import MessageCannotRenderError, PublishedMessage, RenderFor
from channels.calendar_entry import CalendarEntry, invitation
from channels.message_bundle import bundle
from channels.message_renderer import MessageFileRenderer
from channels.mjml_body import compile_html

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
VALUES: dict[str, Any] = {
    "customer": {"first_name": "Anna <b>", "zone": "Europe/Prague"},
    "run": {"departs": "2026-03-28T23:30:00Z", "legs": [{"to": "Brno"}, {"to": "Vienna"}]},
}
HOUSE: dict[str, Any] = {
    "name": "Meridian Air",
    "signature": "Yours, {{ house.name }}",
    "email": "hello@meridian.example",
    "colours": {"main": "#123456"},
    "greeting": {"en": "Dear {{ customer.first_name }},", "de": "Guten Tag,"},
    "locale": "en",
}


def words(files: Mapping[str, str] | str, shared: Mapping[str, Any] | None = None, **whom: Any):
    source = files if isinstance(files, str) else bundle(files)
    message = PublishedMessage(name="late", revision="r", source=source, shared=shared or {})
    return MessageFileRenderer().render(message, VALUES, NOW, RenderFor(**whom))


def mjml(body: str) -> str:
    page = f"<mjml><mj-body><mj-section><mj-column>{body}</mj-column></mj-section></mj-body></mjml>"
    return "---\nsubject: Late\nmjml: |\n  " + page.replace("\n", "\n  ") + "\n---\n"


def test_a_mail_of_a_text_alone_has_markup_too_and_a_name_is_never_markup() -> None:
    source = (
        "---\nsubject: Late\n---\nDear {{ customer.first_name }},\n\nsee **this**: https://a.example/x?y=1&z=2.\n\n"
        "{% for leg in run.legs %}\n- to {{ leg.to }}\n{% endfor %}\n\n[Your page]({{ run.departs }})\n"
    )

    html = words(source).html or ""

    assert "<p>Dear Anna &lt;b&gt;,</p>" in html
    assert "<strong>this</strong>" in html
    assert '<a href="https://a.example/x?y=1&amp;z=2">https://a.example/x?y=1&amp;z=2</a>.' in html
    assert html.count("<li>to ") == 2
    assert '<a href="2026-03-28T23:30:00Z">Your page</a>' in html


def test_the_house_has_one_layout_and_one_voice_in_every_language() -> None:
    files = {
        "late.md": '---\nsubject: Late\n---\n{{ house.greeting }}\n\nLate.\n\n{% render "bye" %}\n',
        "late.de.md": "---\nsubject: Spät\nlocale: de\n---\n{{ house.greeting }}\n\nSpät.\n",
    }
    shared = {
        "house": HOUSE,
        "bye": {"text": "{{ house.signature }}"},
        "layout": {"text": '<html lang="und"><h1>{{ house.name }}</h1>{{ content }}</html>'},
    }

    english, german = words(files, shared), words(files, shared, locale="de-AT")

    assert english.text == "Dear Anna <b>,\n\nLate.\n\nYours, Meridian Air\n"
    assert "<h1>Meridian Air</h1><p>Dear Anna &lt;b&gt;,</p>" in (english.html or "")
    assert german.text.startswith("Guten Tag,")
    assert '<html lang="de">' in (german.html or "")
    assert german.locale == "de"


def test_mjml_keeps_liquid_where_it_stood_even_in_a_table_and_with_a_lesser_sign() -> None:
    html = words(
        mjml(
            "<mj-text>{% if run.legs.size < 3 %}few{% endif %}</mj-text>"
            "<mj-table><tr><th>To</th></tr>{% for leg in run.legs %}<tr><td>{{ leg.to }}</td></tr>"
            '{% endfor %}</mj-table><mj-button href="https://a.example/{{ run.legs[0].to }}">Go</mj-button>'
        )
    ).html
    assert html is not None

    assert ">few<" in html
    assert html.index("<th") < html.index("Brno") < html.index("Vienna") < html.index("</table>")
    assert 'href="https://a.example/Brno"' in html
    assert "fonts.googleapis" not in html


def test_a_mail_of_markup_alone_has_a_text_too_with_its_links() -> None:
    text = words(mjml('<mj-text>Late. <a href="https://a.example/x">More</a></mj-text>')).text

    assert text == "Late. More (https://a.example/x)\n"


@pytest.mark.parametrize("line", [1, 3])
def test_a_fault_in_markup_is_told_by_the_line_its_author_wrote_it_on(line: int) -> None:
    rows = ["<mj-text>a</mj-text>"] * 4
    rows[line] = "<mj-text>{{ run.nothing }}</mj-text>"

    with pytest.raises(MessageCannotRenderError) as caught:
        words(mjml("\n".join(rows)))

    assert (caught.value.name, caught.value.line) == ("late", 4 + line)
    assert "run.nothing is undefined" in caught.value.problem


def test_nothing_that_markup_names_is_fetched() -> None:
    """A stylesheet that were asked for would be refused here, and the compiler with it."""
    page = '<html><head><link rel="stylesheet" href="http://127.0.0.1:9/x.css"><style>p {color: red}</style></head>'

    compiled = compile_html(f"{page}<p>a</p></html>")

    assert '<p style="color: red;">' in compiled.html


@given(st.text(max_size=60))
def test_whatever_a_customer_is_called_stays_a_name(name: str) -> None:
    """Neither a name nor a link in it changes what the mail is made of."""
    source = "---\nsubject: Hi\n---\nDear {{ customer.first_name }},\n\nhello.\n"
    message = PublishedMessage(name="late", revision="r", source=source)
    values: dict[str, Any] = {"customer": {"first_name": f"<script>{name}</script>"}}

    html = MessageFileRenderer().render(message, values, NOW, RenderFor()).html or ""

    assert "<script" not in html
    assert html.count("<p>") == 2


def test_markup_from_outside_keeps_only_what_cannot_harm() -> None:
    source = (
        "---\nsubject: Hi\nhtml: |\n  {{ run.note | safe_html }}\n---\n{{ run.note | safe_html }}\n"
    )
    message = PublishedMessage(name="late", revision="r", source=source)
    values: dict[str, Any] = {"run": {"note": "<b onclick=x>a</b><script>b</script>"}}

    told = MessageFileRenderer().render(message, values, NOW, RenderFor())

    assert (told.html or "").strip() == "<b>a</b>"
    assert told.text.strip() == "a"


def test_a_later_message_moves_the_entry_in_the_calendar() -> None:
    source = (
        "---\nsubject: Late\ncalendar: {title: 'Flight to {{ run.legs[0].to }}', starts: '{{ run.departs }}',"
        " lasts: 2h, method: request}\n---\nLate.\n"
    )

    def entry(n: int, run: str = "r1") -> Any:
        told = words(source, {"house": HOUSE}, run=run, n=n, address="anna@example.com")
        [file] = told.attachments
        assert file.media_type.startswith("text/calendar; method=REQUEST")
        return next(iter(Calendar.from_ical(file.content).walk("VEVENT")))

    first, moved, others = entry(3), entry(8), entry(3, "r2")

    assert first["UID"] == moved["UID"] != others["UID"]
    assert (first["SEQUENCE"], moved["SEQUENCE"]) == (3, 8)
    assert str(first["SUMMARY"]) == "Flight to Brno"
    assert first["ORGANIZER"] == "mailto:hello@meridian.example"
    # In Prague: an hour before the clocks go forward, and three hours by the clock after two.
    assert first["DTSTART"].to_ical() == b"20260329T003000"
    assert first["DTEND"].to_ical() == b"20260329T033000"


def test_a_calendar_is_told_when_the_clocks_change_by_the_clock_that_went_until_then() -> None:
    starts = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)
    file = invitation(
        CalendarEntry(
            about="a",
            sequence=1,
            title="A",
            starts=starts,
            ends=starts,
            made_at=NOW,
            zone="Europe/Prague",
        )
    )
    zone = next(iter(Calendar.from_ical(file.content).walk("VTIMEZONE")))
    begins = [each["DTSTART"].to_ical() for each in zone.walk("DAYLIGHT")]
    ends = [each["DTSTART"].to_ical() for each in zone.walk("STANDARD")]

    assert b"20260329T020000" in begins
    assert b"20261025T030000" in ends


def test_a_text_channel_carries_neither_markup_nor_files() -> None:
    source = "---\nsubject: Late\ncalendar: {title: A, starts: '{{ run.departs }}'}\n---\nLate.\n"

    told = words(source, channel="push")

    assert (told.subject, told.text, told.html, told.attachments) == ("Late", "Late.\n", None, ())


def test_a_message_says_where_a_tap_leads_and_which_text_was_approved() -> None:
    files = {
        "late.md": '---\nsubject: Late\nlink: "https://air.example/trips/{{ run.legs[0].to }}"\n---\nLate.\n',
        "late.whatsapp.md": "---\nchannel: whatsapp\ntemplate:\n  id: HX1\n  values:\n"
        '    1: "{{ customer.zone }}"\n---\nLate.\n',
    }

    told = words(files, channel="whatsapp")
    assert told.link == "https://air.example/trips/Brno"
    assert told.template is not None
    assert (told.template.id, told.template.values) == ("HX1", {"1": "Europe/Prague"})
    assert words(files, channel="push").template is None


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("link: /trips", "link: is no address"),
        ("link: javascript:alert(1)", "link: is no address"),
        ("template: HX1", "template: has no fields"),
        ("template: {id: HX1, values: {1: 2}}", "template: 1 is not a short text"),
        ("template: {values: {}}", "template: has no id"),
    ],
)
def test_a_tap_that_leads_nowhere_and_a_text_without_an_id_are_refused(
    field: str, said: str
) -> None:
    with pytest.raises(MessageCannotRenderError, match=said):
        words(f"---\nsubject: Late\n{field}\n---\nLate.\n", channel="push")
