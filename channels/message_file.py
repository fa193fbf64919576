"""One file of a message as its author wrote it: YAML front matter, then the text in Liquid."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from activities.message_text import MessageCannotRenderError
from channels.liquid_text import MAX_SOURCE, LiquidText
from channels.message_extras import (
    ApprovedText,
    DataTemplate,
    EntryTemplate,
    read_approved,
    read_data,
    read_entry,
    read_link,
)
from channels.message_matter import MAX_SUBJECT, Matter, MessageFileError, read_matter
from channels.mjml_body import Body, MarkupError, compile_html, compile_mjml
from journey.effects import Purpose
from journey.message_variant import TEXT_CHANNELS, Variant

__all__ = ["MAX_SUBJECT", "MessageFile", "MessageFileError", "parse_message", "revision_of"]

FIELDS = (
    "subject", "purpose", "locale", "tone", "channel", "html", "mjml", "data", "calendar", "links",
    "link", "template",
)  # fmt: skip


@dataclass(slots=True, frozen=True, kw_only=True)
class MessageFile:
    """One file: whom it is for, its subject and texts as templates, and where each begins.

    `purpose` None takes the purpose of the send, `subject` None that of the base. `text` is empty
    where there is markup only. `variables`: what it names, each with its line, and whether it has a
    default or is asked for before. `blocks`: those it puts in, with the line of each.
    """

    name: str
    variant: Variant
    subject: str | None
    text: str
    html: Body | None
    purpose: Purpose | None
    data: tuple[DataTemplate, ...]
    calendar: EntryTemplate | None
    links: Literal["count"] | None
    link: str | None
    approved: ApprovedText | None
    subject_line: int
    text_line: int
    html_line: int
    link_line: int
    html_name: str
    variables: frozenset[tuple[str, int, bool]] = frozenset()
    blocks: frozenset[tuple[str, int]] = frozenset()

    @property
    def names(self) -> frozenset[str]:
        """The variables that its templates name, dotted."""
        return frozenset(name for name, _, _ in self.variables)

    def parts(self) -> Iterator[tuple[str, int, bool]]:
        """Its templates: the first line of each in the file, and whether it is markup."""
        if self.subject is not None:
            yield self.subject, self.subject_line, False
        if self.text:
            yield self.text, self.text_line, False
        for read in self.data:
            yield read.url, read.line, False
        for template in self.calendar.templates() if self.calendar else ():
            assert self.calendar is not None
            yield template, self.calendar.line, False
        if self.link is not None:
            yield self.link, self.link_line, False
        for text in self.approved.values.values() if self.approved else ():
            assert self.approved is not None
            yield text, self.approved.line, False
        if self.html is not None:
            yield self.html.html, self.html_line, True


def revision_of(source: str) -> str:
    """The revision under which this source is kept."""
    return hashlib.sha256(source.encode()).hexdigest()


@lru_cache(maxsize=1_000)
def parse_message(name: str, source: str, mjml: str | None = None) -> MessageFile:
    """Read a file of a message; `mjml`: the markup that stands beside it. Raises: `MessageFileError`."""
    if len(source) > MAX_SOURCE:
        raise MessageFileError(
            name, 1, f"has {len(source)} characters", f"A message may have {MAX_SOURCE}."
        )
    matter = read_matter(name, source, FIELDS)
    variant = matter.variant()
    html, line, html_name = _body(matter, mjml)
    subject = matter.text_of("subject")
    only_text = bool(variant.channels) and variant.channels <= TEXT_CHANNELS
    if subject is None and not only_text:
        raise matter.fault("subject", "subject: is missing", 'Write subject: "…".')
    message = MessageFile(
        name=name,
        variant=variant,
        subject=subject,
        text=matter.text if matter.text.strip() else "",
        html=html,
        purpose=matter.purpose(),
        data=read_data(matter),
        calendar=read_entry(matter),
        links=_links(matter),
        link=read_link(matter),
        approved=read_approved(matter),
        subject_line=matter.line("subject"),
        text_line=matter.text_line,
        html_line=line,
        link_line=matter.line("link"),
        html_name=html_name,
    )
    if not message.text and html is None:
        remedy = "Write what the customer is to read below the second ---."
        raise MessageFileError(name, matter.text_line, "has no text", remedy)
    return _looked_at(message)


def _body(matter: Matter, mjml: str | None) -> tuple[Body | None, int, str]:
    """The markup, the line before it, and the file that it is in."""
    within, written = matter.markup("mjml"), matter.markup("html")
    if sum(each is not None for each in (within, written, mjml)) > 1:
        field = "mjml" if within is not None else "html"
        remedy = "Keep one of html:, mjml: and the .mjml file beside it."
        raise matter.fault(field, "the markup is there twice", remedy)
    field = "html" if written is not None else "mjml"
    line, name = (
        (0, f"{matter.name}.mjml") if mjml is not None else (matter.line(field), matter.name)
    )
    try:
        if written is not None:
            return compile_html(written), line + 1, name
        source = within if mjml is None else mjml
        return (compile_mjml(source) if source is not None else None), line + 1, name
    except MarkupError as error:
        raise MessageFileError(name, line + error.line, error.problem, error.remedy) from error


def _links(matter: Matter) -> Literal["count"] | None:
    match matter.fields.get("links"):
        case None:
            return None
        case "count":
            return "count"
        case other:
            raise matter.fault("links", f"links: {other!r}", "It is count, or left out.")


def _looked_at(message: MessageFile) -> MessageFile:
    """The message with the variables and blocks that it names. Raises: `MessageFileError`."""
    liquid = LiquidText()
    variables: set[tuple[str, int, bool]] = set()
    blocks: set[tuple[str, int]] = set()
    for template, first_line, html in message.parts():
        name, body = (message.html_name, message.html) if html else (message.name, None)

        def line_of(line: int, column: int, first: int = first_line, of: Body | None = body) -> int:
            return first + (of.written_on(line, column) if of is not None else line) - 1

        try:
            for place in liquid.places(template, html=html):
                line = line_of(place.line, place.column)
                variables.add((place.name, line, place.guarded))
            for block, (line, column) in liquid.blocks(template, html=html):
                blocks.add((block, line_of(line, column)))
        except MessageCannotRenderError as error:
            raise MessageFileError(
                name, line_of(error.line, error.column), error.problem, error.remedy
            ) from error
    return replace(message, variables=frozenset(variables), blocks=frozenset(blocks))
