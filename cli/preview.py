"""`clew preview`: a message as one customer would read it, before anybody does."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import (
    STATE,
    WRONG_USE,
    AsJson,
    CommandError,
    State,
    print_json,
    say,
    write_out,
)

if TYPE_CHECKING:
    from activities.message_text import MessageInWords, RenderFor

Message = Annotated[
    str, typer.Argument(metavar="MESSAGE", help="A message file (.md), or the name of a live one.")
]
Customer = Annotated[
    str | None, typer.Option("--customer", metavar="ID", help="Whose traits and language to take.")
]
Journey = Annotated[
    str | None, typer.Option("--journey", help="Whose scenarios the values are taken from.")
]
Channel = Annotated[str, typer.Option("--channel", help="By which channel it goes out.")]
Locale = Annotated[
    str | None, typer.Option("--locale", help="The customer's language, such as de.")
]
Feeling = Annotated[str | None, typer.Option("--feeling", help="How they feel, such as upset.")]
Values = Annotated[
    Path | None,
    typer.Option("--values", metavar="FILE", help="YAML with run:, event:, customer: to fill in."),
]
_Html = Annotated[
    Path | None, typer.Option("--html", metavar="FILE", help="Write the markup here.")
]
_Png = Annotated[
    Path | None,
    typer.Option("--png", metavar="FILE", help="Write a picture: on a desk, and on a phone."),
]
_Text = Annotated[bool, typer.Option("--text", help="Print the text alone on stdout.")]
_All = Annotated[bool, typer.Option("--all", help="Every variant, each for whom it is written.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("preview")(preview)


def preview(
    message: Message,
    customer: Customer = None,
    journey: Journey = None,
    channel: Channel = "email",
    locale: Locale = None,
    feeling: Feeling = None,
    values: Values = None,
    html: _Html = None,
    png: _Png = None,
    text: _Text = False,
    every: _All = False,
    state: State = STATE,
    as_json: AsJson = False,
) -> None:
    """Show a message as a customer reads it. Values come from NAME.example.yaml beside it, or a scenario."""
    from activities.message_text import RenderFor
    from channels.message_variants import each_variant
    from cli.message_values import in_words, looked_up

    found, given, language = looked_up(
        message, state, customer=customer, journey=journey, values=values
    )
    whom = RenderFor(channel=channel, locale=locale or language, feeling=feeling, run="preview")
    wanted = [each for each, _ in each_variant(found)] if every else [whom]
    for each in wanted:
        words = in_words(found, given, each)
        to = customer or "a customer"
        suffix = f".{_named(words)}" if every else ""
        if as_json:
            print_json({**_told(words), "channel": each.channel})
        elif text:
            print(words.text, end="", flush=True)
        elif html is None and png is None:
            _print(words, each, to)
        if html is not None:
            _write_html(words, html.with_stem(html.stem + suffix))
        if png is not None:
            _write_picture(words, each.channel, to, png.with_stem(png.stem + suffix))


def _print(words: "MessageInWords", whom: "RenderFor", to: str) -> None:
    say(f"{words.chosen}")
    say(f"By {whom.channel} to {to}{f', {whom.feeling}' if whom.feeling else ''}.")
    if words.subject and whom.channel not in ("sms", "whatsapp"):
        say(f"Subject: {words.subject}")
    for file in words.attachments:
        say(f"With it: {file.name} ({file.media_type.split(';')[0]}, {len(file.content)} bytes)")
    if whom.channel == "sms":
        _print_length(words.text)
    say("")
    print(words.text, flush=True)


def _print_length(text: str) -> None:
    from journey.text_segments import segments

    counted = segments(text.strip())
    many = "1 text message" if counted.count == 1 else f"{counted.count} text messages"
    costly = f"; {' '.join(counted.costly[:5])} is why" if counted.costly else ""
    say(f"{many}: {counted.places} places in {counted.alphabet}{costly}.")


def _write_html(words: "MessageInWords", file: Path) -> None:
    if words.html is None:
        raise CommandError("This channel carries no markup: leave --html away.", WRONG_USE)
    write_out(words.html, file, f"Written to {file}.")


def _write_picture(words: "MessageInWords", channel: str, to: str, file: Path) -> None:
    from cli.page_picture import take_picture
    from cli.preview_page import preview_page, width_of

    take_picture(preview_page(words, channel, to), width_of(words), file)
    say(f"Written to {file}.")


def _named(words: "MessageInWords") -> str:
    """The file that was chosen, as part of a file's name."""
    return words.chosen.split(".md", 1)[0].replace(".", "-")


def _told(words: "MessageInWords") -> dict[str, Any]:
    return {
        "chosen": words.chosen,
        "locale": words.locale,
        "subject": words.subject,
        "text": words.text,
        "html": words.html,
        "attachments": [file.name for file in words.attachments],
    }
