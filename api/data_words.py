"""What we hold of a customer, put into words part by part."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from html import escape
from typing import Any

import orjson
from pydantic import JsonValue

from api.customer_form import Form
from api.customer_page import Way, card, way_form
from api.customer_words import Words
from api.preferences_page import channel_name
from api.run_story import customer_words, message_title, plainly
from api.trait_corrections import MOST_TEXT, correctable, field_name
from stores.asked_cases import AskedCase
from stores.consents import EVERY_CHANNEL, Consent
from stores.held_data import MOST_MESSAGES, HeldData, HeldTrait
from stores.trait_corrections import CUSTOMER_PAGE

_LONGEST = 500
_DATE = re.compile(r"(?:1[89]|20)\d{2}-\d{2}-\d{2}")
_FIRST = (
    "name", "title", "first_name", "firstName", "last_name", "lastName", "birthday", "email",
    "phone", "street", "address", "postcode", "city", "country", "company", "zone",
)  # fmt: skip
"""What people look for first; the rest by its name."""


@dataclass(slots=True, frozen=True, kw_only=True)
class Shown:
    """What the page shows.

    `names` of what may be corrected, `form` where a correction was wrong, `erasure` where one was
    asked for, `ways` to the pages of open runs, `here` the path of the page itself.
    """

    held: HeldData
    here: str
    names: Sequence[str] = ()
    form: Form | None = None
    erasure: AskedCase | None = None
    ways: Mapping[int, Way] = field(default_factory=dict[int, Way])

    def action(self, words: Words, name: str) -> str:
        """Where a form of the page goes; the language goes along, so that the answer is in it."""
        return escape(f"{self.here}/{name}?lang={words.language}")


def held_in_words(words: Words, shown: Shown) -> str:
    """The body of the page."""
    held = shown.held
    since = words.html("data.lead", day=words.day(held.customer.created_at))
    sent = [_sent(words, row) for row in held.sent]
    parts = [
        f'<p class="lead">{since} {words.html("times_in", zone=words.zone)}</p>',
        _traits(words, held),
        _correction(words, shown),
        _part(words, "consents", [_consent(words, each) for each in held.consents]),
        _part(words, "sent", sent, words.count("data.sent.most", MOST_MESSAGES)),
        _part(words, "journeys", [_run(words, row, shown.ways) for row in held.runs]),
        _part(words, "cases", [_case(words, row) for row in held.cases]),
        _part(words, "answers", [_answer(words, row) for row in held.answers]),
        _export(words, shown),
        _erasure(words, shown),
    ]
    return "".join(parts)


def _part(words: Words, name: str, rows: Sequence[str], hint: str = "") -> str:
    """A part that opens; one without anything says so."""
    title, why = words.html(f"data.{name}"), words.html(f"data.{name}.why")
    if not rows:
        nothing = words.html("data.nothing")
        return card(f'<h2>{title}</h2><p class="quiet">{nothing}</p>')
    more = f" {escape(hint)}" if hint else ""
    return card(
        f'<details><summary><h2>{title}</h2><span class="how-many">{words.number(len(rows))}</span>'
        f'</summary><p class="quiet">{why}{more}</p><ul class="plain">{"".join(rows)}</ul></details>'
    )


def _row(first: str, *rest: str, more: str = "") -> str:
    """An entry of a list: HTML of its first line, quiet ones below, and what stands under them."""
    quiet = "".join(f'<p class="quiet">{said}</p>' for said in rest if said)
    return f"<li><p>{first}</p>{quiet}{more}</li>"


# -- who this is


def trait_name(words: Words, name: str) -> str:
    """What a trait is called, as text: `first_name` and `firstName` are one."""
    snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    return words.known(f"trait.{snake}", plainly(snake))


def trait_value(words: Words, value: JsonValue) -> str:
    """A trait as text."""
    match value:
        case bool():
            return words.say("yes" if value else "no")
        case str() if _DATE.fullmatch(value) and (day := _day(value)):
            said = words.date(day)
        case str():
            said = value
        case _:
            said = orjson.dumps(value).decode()
    return said if len(said) <= _LONGEST else f"{said[:_LONGEST]}…"


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _place(trait: HeldTrait) -> tuple[int, str]:
    return (_FIRST.index(trait.name) if trait.name in _FIRST else len(_FIRST)), trait.name


def _traits(words: Words, held: HeldData) -> str:
    rows = [_trait(words, each) for each in sorted(held.traits, key=_place)]
    for kind, value in held.names:
        name = words.known(f"identity.{kind}", plainly(kind))
        why = words.html("data.name.why")
        rows.append(_pair(escape(name), escape(value), why))
    title = words.html("data.traits")
    if not rows:
        return card(f'<h2>{title}</h2><p class="quiet">{words.html("data.nothing")}</p>')
    return card(f"<h2>{title}</h2><dl>{''.join(rows)}</dl>")


def _pair(name: str, value: str, said: str) -> str:
    quiet = f'<dd class="quiet">{said}</dd>' if said else ""
    return f"<div><dt>{name}</dt><dd>{value}</dd>{quiet}</div>"


def _trait(words: Words, trait: HeldTrait) -> str:
    if trait.at is None:
        said = ""
    elif trait.source == CUSTOMER_PAGE:
        said = words.html("data.trait.yours", day=words.day(trait.at))
    elif trait.source:
        said = words.html("data.trait.from", source=trait.source[:100], day=words.day(trait.at))
    else:
        said = words.html("data.trait.since", day=words.day(trait.at))
    value = escape(trait_value(words, trait.value))
    return _pair(escape(trait_name(words, trait.name)), value, said)


def _correction(words: Words, shown: Shown) -> str:
    form, held = shown.form, {each.name: each.value for each in shown.held.traits}
    traits = correctable(held, shown.names)
    if not traits:
        return ""
    fields = "".join(_field(words, name, value, form) for name, value in traits.items())
    return card(
        f"<details{' open' if form else ''}><summary><h2>{words.html('correct.title')}</h2></summary>"
        f'<p class="quiet">{words.html("correct.lead")}</p>'
        f'<form method="post" action="{shown.action(words, "correct")}">{fields}'
        f'<button type="submit">{words.html("correct.save")}</button></form></details>'
    )


def _field(words: Words, name: str, value: JsonValue, form: Form | None) -> str:
    key = escape(field_name(name))
    label = escape(trait_name(words, name))
    if isinstance(value, bool):
        options = "".join(
            f'<option value="{said}"{" selected" if value == (said == "yes") else ""}>'
            f"{words.html(said)}</option>"
            for said in ("yes", "no")
        )
        inner = f'<select id="{key}" name="{key}">{options}</select>'
    else:
        filled = form.line(field_name(name), MOST_TEXT) if form else f"{value}"
        inner = f'<input id="{key}" name="{key}" maxlength="{MOST_TEXT}" value="{escape(filled)}">'
    return f'<div class="field"><label for="{key}">{label}</label>{inner}</div>'


# -- what was said and done


def _consent(words: Words, said: Consent) -> str:
    by = (
        words.say("every_channel")
        if said.channel == EVERY_CHANNEL
        else channel_name(words, said.channel)
    )
    what = words.html(
        "consent.yes" if said.given else "consent.no",
        purpose=words.say(f"purpose.{said.purpose}"),
        channel=by,
    )
    how = words.known(f"how.{said.source}", said.source)
    return _row(what, f"{escape(words.moment(said.at))}, {escape(how)}")


def _sent(words: Words, row: Mapping[str, Any]) -> str:
    title = escape(message_title(row["message"], row["source"]))
    by = channel_name(words, row["channel"]) if row["channel"] else ""
    unsure = f" ({words.html('data.sent.unknown')})" if row["state"] == "unknown" else ""
    to = words.say("data.sent.to", channel=by, address=row["address"] or "")
    return _row(title + unsure, f"{escape(words.moment(row['at']))}, {escape(to)}")


def _run(words: Words, row: Mapping[str, Any], ways: Mapping[int, Way]) -> str:
    told = customer_words(bytes(row["canonical"]) if row["canonical"] else None)
    title = escape(told.title or plainly(row["journey"]))
    why = (row["why"] or "").removeprefix("entered by ")
    because = words.html("data.run.because", event=why) if row["why"] and why != row["why"] else ""
    began = words.html("data.run.began", day=words.day(row["entered_at"]))
    if row["state"] == "finished":
        ended = row["finished_at"] or row["entered_at"]
        return _row(title, f"{began} {because}", words.html("data.run.ended", day=words.day(ended)))
    stage = words.html("data.run.stage", stage=told.stage(row["stage"])) if row["stage"] else ""
    way = ways.get(row["entry"])
    more = way_form(way) if way else ""
    return _row(title, stage, f"{began} {because}", more=more)


def _case(words: Words, row: Mapping[str, Any]) -> str:
    opened = words.moment(row["opened_at"])
    first = words.html(
        "data.case.asked" if row["asked_by_customer"] else "data.case.opened", moment=opened
    )
    state = words.html(f"case.{row['state']}")
    if row["decision"]:
        state += f" {words.html('data.case.decided', decision=plainly(row['decision']))}"
    brief = escape(row["brief"][:_LONGEST]) if row["asked_by_customer"] else ""
    return _row(first, brief, state)


def _answer(words: Words, row: Mapping[str, Any]) -> str:
    survey: dict[str, Any] = row["survey_source"] or {}
    question = escape(str(survey.get("question") or plainly(row["survey"])))
    choices: dict[str, Any] = survey.get("choices") or {}
    said = [
        words.number(row["score"]) if row["score"] is not None else "",
        str(choices.get(row["choice"], row["choice"] or "")),
        row["words"][:_LONGEST],
    ]
    answer = escape(" · ".join(each for each in said if each))
    return _row(question, answer, escape(words.moment(row["at"])))


# -- what can be done


def _export(words: Words, shown: Shown) -> str:
    return card(
        f"<h2>{words.html('export.title')}</h2><p>{words.html('export.lead')}</p>"
        f'<form method="post" action="{shown.action(words, "export")}">'
        f'<button class="second" type="submit">{words.html("export.button")}</button></form>'
    )


def _erasure(words: Words, shown: Shown) -> str:
    asked = shown.erasure
    title = f"<h2>{words.html('erase.title')}</h2>"
    if asked is not None:
        when = words.html("erase.asked", day=words.day(asked.opened_at))
        until = asked.answer_by or asked.opened_at
        return card(f"{title}<p>{when} {words.html('erase.until', day=words.day(until))}</p>")
    return card(
        f"{title}<p>{words.html('erase.lead')}</p>"
        f'<form method="post" action="{shown.action(words, "erase")}">'
        f'<label class="switch"><span>{words.html("erase.sure")}</span>'
        '<input type="checkbox" name="sure" value="yes" required></label>'
        f'<button class="second" type="submit">{words.html("erase.button")}</button></form>'
    )
