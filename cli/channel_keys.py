"""`clew vapid-key`, `clew webhook-secret`: what channels and those who receive from them are told."""

from typing import Annotated

import typer

from cli.output import WRONG_USE, AsJson, CommandError, print_json, say


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("vapid-key")(vapid_key)
    app.command("webhook-secret")(webhook_secret)


def vapid_key(as_json: AsJson = False) -> None:
    """Make a pair of keys for web push. Keep it for ever: browsers subscribe to the public one."""
    from channels.vapid import new_pair

    private, public = new_pair()
    if as_json:
        print_json({"private_key": private, "public_key": public})
        return
    print(private)
    say("Set it as CLEW_VAPID_KEY for delivery and API, with CLEW_VAPID_CONTACT=mailto:…")
    say(f"Web pages subscribe with {public}, which GET /v1/webpush/key tells them.")


def webhook_secret(
    url: Annotated[
        str, typer.Argument(help="The address that messages go to (trait webhook_url).")
    ],
    as_json: AsJson = False,
) -> None:
    """Print what messages to one webhook are signed with: whoever receives there needs it."""
    from channels.webhook import shown_secret
    from workers.channel_settings import ChannelSettings
    from workers.settings import SettingsError, read_settings

    try:
        told = read_settings(ChannelSettings).webhook_secret
    except SettingsError as error:
        raise CommandError(str(error), WRONG_USE) from None
    if told is None:
        raise CommandError("CLEW_WEBHOOK_SECRET is not set: it turns the channel on", WRONG_USE)
    secret = shown_secret(told.get_secret_value().encode(), url)
    if as_json:
        print_json({"url": url, "secret": secret})
    else:
        print(secret)
