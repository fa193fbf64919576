"""Message files put into words for one customer."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import JsonValue

from activities.message_text import MessageCannotRenderError, MessageInWords, PublishedMessage
from channels.liquid_text import LiquidText
from channels.message_file import MessageFile, MessageFileError, parse_message
from journey.effects import Purpose


class MessageFileRenderer:
    """Renders published message files with Liquid; its errors count lines in the author's file."""

    def __init__(self, liquid: LiquidText | None = None) -> None:
        self._liquid = liquid or LiquidText()

    def purpose(self, message: PublishedMessage) -> Purpose | None:
        return _read(message).purpose

    def render(
        self, message: PublishedMessage, values: Mapping[str, JsonValue], now: datetime
    ) -> MessageInWords:
        file = _read(message)
        subject = self._part(file, file.subject, file.subject_line, values, now)
        text = self._part(file, file.text, file.text_line, values, now)
        html = None
        if file.html is not None:
            html = self._part(file, file.html, file.html_line + 1, values, now, html=True)
        return MessageInWords(subject=" ".join(subject.split()), text=text, html=html)

    def _part(
        self,
        file: MessageFile,
        template: str,
        first_line: int,
        values: Mapping[str, JsonValue],
        now: datetime,
        *,
        html: bool = False,
    ) -> str:
        try:
            return self._liquid.render(template, values, now, html=html)
        except MessageCannotRenderError as error:
            raise MessageCannotRenderError(
                name=file.name,
                line=first_line + error.line - 1,
                column=error.column,
                problem=error.problem,
                remedy=error.remedy,
            ) from error


def _read(message: PublishedMessage) -> MessageFile:
    try:
        return parse_message(message.name, message.source)
    except MessageFileError as error:
        raise MessageCannotRenderError(
            name=error.name, line=error.line, problem=error.problem, remedy=error.remedy
        ) from error
