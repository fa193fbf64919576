"""Message files put into words for one customer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from liquid import Markup
from pydantic import JsonValue

from activities.message_channel import Attachment, ProviderTemplate
from activities.message_text import (
    DataRead,
    MessageCannotRenderError,
    MessageInWords,
    PublishedMessage,
    RenderFor,
)
from channels.calendar_entry import CalendarEntry, invitation
from channels.house_words import blocks_of, house_words, voice_of
from channels.liquid_text import LiquidText
from channels.message_bundle import Message, read_message
from channels.message_extras import EntryTemplate
from channels.message_file import MessageFile, MessageFileError
from channels.plain_html import PAGE, as_text, finished, paragraphs
from journey.effects import Purpose
from journey.house_voice import HouseVoice
from journey.message_variant import TEXT_CHANNELS, choose_variant

LAYOUT = "layout"
"""The block that a mail without markup of its own is put into, as `content`."""


@dataclass(slots=True, frozen=True, kw_only=True)
class _Rendering:
    """One message on its way into words, with all that its templates may name."""

    file: MessageFile
    why: str
    voice: HouseVoice | None
    blocks: Mapping[str, str]
    values: Mapping[str, object]
    now: datetime
    whom: RenderFor


class MessageFileRenderer:
    """Renders published message files with Liquid; its errors count lines in the author's file."""

    def __init__(self, liquid: LiquidText | None = None) -> None:
        self._liquid = liquid or LiquidText()

    def purpose(self, message: PublishedMessage) -> Purpose | None:
        return _read(message).purpose

    def reads(
        self,
        message: PublishedMessage,
        values: Mapping[str, JsonValue],
        now: datetime,
        whom: RenderFor,
    ) -> Sequence[DataRead]:
        if not any(file.data for file in _read(message).files):
            return ()
        about = self._chosen(message, values, now, whom)
        return [
            DataRead(
                name=each.name,
                url="".join(self._part(about, each.url, each.line).split()),
                take=each.take,
                within=each.within,
                otherwise=each.otherwise,
            )
            for each in about.file.data
        ]

    def render(
        self,
        message: PublishedMessage,
        values: Mapping[str, JsonValue],
        now: datetime,
        whom: RenderFor,
    ) -> MessageInWords:
        about = self._chosen(message, values, now, whom)
        file = about.file
        subject = self._part(about, file.subject or "", file.subject_line)
        text = self._part(about, file.text, file.text_line)
        html = None
        if file.html is not None and (whom.channel not in TEXT_CHANNELS or not file.text):
            html = _in_language(self._markup(about), file.variant.locale)
        if not file.text and html is not None:
            text = as_text(html)
        if whom.channel in TEXT_CHANNELS:
            html = None
        elif html is None:
            html = self._made_of_text(about)
        return MessageInWords(
            subject=" ".join(subject.split()),
            text=text,
            html=html,
            locale=file.variant.locale,
            chosen=f"{file.name}.md {about.why}",
            attachments=self._attachments(about),
            link=self._link(about),
            template=self._approved(about),
            counts_links="count" in (file.links, about.voice.links if about.voice else None),
        )

    def _chosen(
        self,
        message: PublishedMessage,
        values: Mapping[str, JsonValue],
        now: datetime,
        whom: RenderFor,
    ) -> _Rendering:
        read, voice = _read(message), voice_of(message.shared)
        chosen = choose_variant(
            [file.variant for file in read.files],
            whom.channel,
            whom.locale,
            whom.feeling,
            voice.locale if voice else None,
        )
        file = read.files[chosen.index]
        told: dict[str, object] = dict(values)
        if voice is not None:
            language = file.variant.locale or read.files[0].variant.locale or whom.locale
            try:
                told["house"] = house_words(voice, language, values, now, self._liquid)
            except MessageCannotRenderError as error:
                error.name = error.name or "house.yaml"
                raise _again(error) from error
        return _Rendering(
            file=file,
            why=chosen.why,
            voice=voice,
            blocks=blocks_of(message.shared),
            values=told,
            now=now,
            whom=whom,
        )

    def _part(self, about: _Rendering, template: str, first_line: int) -> str:
        try:
            return self._liquid.render(template, about.values, about.now, blocks=about.blocks)
        except MessageCannotRenderError as error:
            raise _placed(error, about.file.name, first_line + error.line - 1) from error

    def _markup(self, about: _Rendering) -> str:
        body = about.file.html
        assert body is not None
        try:
            return self._liquid.render(
                body.html, about.values, about.now, html=True, blocks=about.blocks
            )
        except MessageCannotRenderError as error:
            line = about.file.html_line + body.written_on(error.line, error.column) - 1
            raise _placed(error, about.file.html_name, line) from error

    def _made_of_text(self, about: _Rendering) -> str:
        """A text alone as a mail with both parts: in the house's layout, or as a plain page."""
        try:
            content = finished(
                self._liquid.render(
                    paragraphs(about.file.text),
                    about.values,
                    about.now,
                    html=True,
                    blocks=about.blocks,
                )
            )
            layout = about.blocks.get(LAYOUT)
            if layout is None:
                return PAGE.format(lang=about.file.variant.locale or "und", content=content)
            values = {**about.values, "content": Markup(content)}
            return _in_language(
                self._liquid.render(layout, values, about.now, html=True, blocks=about.blocks),
                about.file.variant.locale,
            )
        except MessageCannotRenderError as error:
            raise _placed(error, about.file.name, about.file.text_line) from error

    def _link(self, about: _Rendering) -> str | None:
        if about.file.link is None:
            return None
        return "".join(self._part(about, about.file.link, about.file.link_line).split()) or None

    def _approved(self, about: _Rendering) -> ProviderTemplate | None:
        approved = about.file.approved
        if approved is None:
            return None
        values = {
            place: " ".join(self._part(about, text, approved.line).split())
            for place, text in approved.values.items()
        }
        return ProviderTemplate(id=approved.id, values=values)

    def _attachments(self, about: _Rendering) -> tuple[Attachment, ...]:
        entry = about.file.calendar
        if entry is None or about.whom.channel in TEXT_CHANNELS:
            return ()
        return (invitation(self._entry(about, entry)),)

    def _entry(self, about: _Rendering, entry: EntryTemplate) -> CalendarEntry:
        def said(template: str) -> str:
            return " ".join(self._part(about, template, entry.line).split())

        def moment(template: str) -> datetime:
            text = said(template)
            try:
                found = datetime.fromisoformat(text)
            except ValueError:
                found = None
            if found is None or found.tzinfo is None or not 1970 <= found.year < 2200:
                raise MessageCannotRenderError(
                    name=about.file.name,
                    line=entry.line,
                    problem=f"calendar: {text[:40]!r} is not a moment",
                    remedy="It is one such as 2026-11-22T09:00:00Z.",
                )
            return found

        starts = moment(entry.starts)
        return CalendarEntry(
            about="\n".join([about.whom.run, said(entry.uid)]),
            sequence=about.whom.n,
            title=said(entry.title),
            starts=starts,
            ends=max(moment(entry.ends), starts) if entry.ends else starts + entry.lasts,
            made_at=about.now.astimezone(UTC),
            place=said(entry.place),
            words=said(entry.words),
            zone=_zone(about.values),
            method=entry.method,
            organiser=about.voice.email if about.voice else "",
            organiser_name=about.voice.name if about.voice else "",
            guest=about.whom.address,
        )


def _zone(values: Mapping[str, object]) -> str:
    customer = values.get("customer")
    zone = customer.get("zone") if isinstance(customer, dict) else None  # pyright: ignore[reportUnknownVariableType]
    return zone if isinstance(zone, str) else "UTC"


def _in_language(html: str, locale: str | None) -> str:
    """The markup with the language that it is in, where the compiler left that open."""
    return html.replace('lang="und"', f'lang="{locale}"') if locale else html


def _read(message: PublishedMessage) -> Message:
    try:
        return read_message(message.name, message.source)
    except MessageFileError as error:
        raise MessageCannotRenderError(
            name=error.name, line=error.line, problem=error.problem, remedy=error.remedy
        ) from error


def _placed(error: MessageCannotRenderError, name: str, line: int) -> MessageCannotRenderError:
    """The error at its place in the author's file; one in a block is there already."""
    if error.name:
        return _again(error)
    return _again(error, name=name, line=line)


def _again(
    error: MessageCannotRenderError, *, name: str | None = None, line: int | None = None
) -> MessageCannotRenderError:
    return MessageCannotRenderError(
        name=error.name if name is None else name,
        line=error.line if line is None else line,
        column=error.column,
        problem=error.problem,
        remedy=error.remedy,
    )
