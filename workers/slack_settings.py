"""What processes are told of Slack, where it is used: for messages, and as a desk of staff."""

import re
from typing import Self

from pydantic import SecretStr, model_validator

from channels.slack_calls import SlackCalls
from channels.slack_desk import SlackDesk
from workers.process_settings import ProcessSettings

_CHANNEL = re.compile(r"[CG][A-Z0-9]{2,30}")


class SlackSettings(ProcessSettings):
    """The Slack app."""

    slack_token: SecretStr | None = None
    """Turns `slack` on: the bot token of the Slack app (xoxb-…), with the right chat:write."""
    slack_url: str = "https://slack.com/api"
    """Slack's API."""

    def slack_calls(self) -> SlackCalls | None:
        """The way to Slack; None where no token is set."""
        if self.slack_token is None:
            return None
        return SlackCalls(self.slack_token.get_secret_value(), api=self.slack_url)


class SlackDeskSettings(SlackSettings):
    """Where in Slack staff see cases."""

    slack_cases_channel: str | None = None
    """The id of the Slack channel (C012AB3CD) for cases whose queue has none of its own; without one they are
    not shown in Slack."""
    slack_cases_channels: dict[str, str] = {}
    """The ids of Slack channels by queue, JSON {"desk": "C012AB3CD"}."""

    @model_validator(mode="after")
    def _channels_of_slack(self) -> Self:
        named = {
            "CLEW_SLACK_CASES_CHANNEL": [self.slack_cases_channel] if self.slack_cases_channel else [],
            "CLEW_SLACK_CASES_CHANNELS": list(self.slack_cases_channels.values()),
        }  # fmt: skip
        for setting, ids in named.items():
            for each in ids:
                if not _CHANNEL.fullmatch(each):
                    raise ValueError(
                        f"{setting}: {each!r} is not the id of a channel, such as C012AB3CD"
                    )
            if ids and self.slack_token is None:
                raise ValueError(f"{setting}: needs CLEW_SLACK_TOKEN")
        return self

    def slack_desk(self) -> SlackDesk | None:
        """Slack as a desk of staff; None where no channel is named. Close it."""
        slack = self.slack_calls()
        if slack is None or not (self.slack_cases_channel or self.slack_cases_channels):
            return None
        return SlackDesk(slack, self.slack_cases_channels, self.slack_cases_channel)
