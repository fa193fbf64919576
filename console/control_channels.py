"""The channels of this installation: how each is set, whether it is stopped, how it does; and trying one."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from starlette.responses import Response

from console.inbox_door import InboxDoor, Visit, new_secret, to
from console.settings_page import CHANNELS_PAGE, for_admins, settings_page
from contracts.push_subscription import push_subscription
from journey.channels import CHANNELS
from stores.channel_reports import ChannelReport
from stores.channel_tests import MOST, WITHIN, ChannelTest, TooManyTestsError
from stores.members import Member
from stores.stops import Stop

LONGEST_ADDRESS = 4_000
SHOWN_TESTS = 3
"""Of each channel, the newest."""

_ADMINS = "An admin tries a channel."
_MAIL = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+")
_PHONE = re.compile(r"\+[0-9][0-9 ()./-]{5,20}")
_FORM = re.compile(r"[A-Za-z0-9_-]{20,100}")
ADDRESSES = {
    "email": ("mail address", "anna@example.com"),
    "sms": ("telephone number", "+420 777 123 456"),
    "whatsapp": ("telephone number that wrote to the sender within 24 hours", "+420 777 123 456"),
    "push": ("token of the phone", "as the app got it from Firebase"),
    "webpush": ("subscription of the browser", '{"endpoint": "https://…", "keys": {…}}'),
    "slack": ("id of the channel or person in Slack", "C012AB3CD"),
    "webhook": ("address of the system", "https://hooks.example.com/clew"),
    "inbox": ("our id of the customer", "c_…"),
    "apprise": ("address of the service", "tgram://…"),
}
"""What an address of each channel is, and how it looks."""

SAID = {
    "waits": "waits for a delivery process",
    "leaving": "is under way",
    "sent": "the provider took it",
    "refused": "was refused",
    "busy": "was not taken: the provider cannot now",
    "unknown": "may have left",
}


class Reports(Protocol):
    """What delivery processes tell; `stores.channel_reports` says what it guarantees."""

    async def reports(self) -> dict[str, ChannelReport]: ...
    async def at_work(self) -> int: ...


class Tests(Protocol):
    """Where tests are asked for; `stores.channel_tests` says what it guarantees."""

    async def ask(self, channel: str, address: str, *, form: str, by: str) -> bool: ...
    async def latest(self, most: int = 30) -> list[ChannelTest]: ...


class Stopped(Protocol):
    """What is stopped."""

    async def now(self) -> list[Stop]: ...


@dataclass(slots=True, frozen=True, kw_only=True)
class ChannelsPage:
    """The page, and its button."""

    door: InboxDoor
    reports: Reports
    tests: Tests
    stops: Stopped

    async def show(self, visit: Visit) -> Response:
        """Every channel there is: those that are on first."""
        return await self._page(visit)

    async def ask(self, visit: Visit) -> Response:
        """A delivery process sends one message to the address, within seconds; the page says what became of it."""
        for_admins(visit, _ADMINS)
        channel = visit.form.line("channel")
        address = visit.form.line("to", LONGEST_ADDRESS + 1)
        form = visit.form.line("form")
        report = (await self.reports.reports()).get(channel)
        if report is None or not report.is_on:
            return await self._page(visit, "Choose a channel that is on.")
        wrong = _wrong(channel, address) or ("" if _FORM.fullmatch(form) else _LOAD_AGAIN)
        if wrong:
            return await self._page(visit, wrong)
        try:
            await self.tests.ask(channel, address, form=form, by=visit.member.member)
        except TooManyTestsError as many:
            words = f"{MOST} tests in {WITHIN.seconds // 60} minutes are the most. Try again at {many.until:%H:%M} UTC."
            return await self._page(visit, words, 429)
        return to(f"{CHANNELS_PAGE}#{channel}")

    async def _page(self, visit: Visit, wrong: str = "", status: int = 400) -> Response:
        reports, tests = await self.reports.reports(), await self.tests.latest()
        stops = await self.stops.now()
        channels = [
            _channel(each, reports.get(each), tests, stops, visit.member) for each in CHANNELS
        ]
        values: dict[str, Any] = {
            "on": [each for each in channels if each["report"] and each["report"].is_on],
            "off": [each for each in channels if not (each["report"] and each["report"].is_on)],
            "told": bool(reports),
            "at_work": await self.reports.at_work(),
            "said": SAID,
            "form": new_secret(),
            "most": MOST,
            "minutes": WITHIN.seconds // 60,
            "longest": LONGEST_ADDRESS,
            "wrong": wrong,
        }
        return settings_page(
            self.door, visit, CHANNELS_PAGE, "control-channels.html", values, status if wrong else 200
        )  # fmt: skip


_LOAD_AGAIN = "That form is not ours. Load the page again."


def _channel(
    channel: str,
    report: ChannelReport | None,
    tests: Sequence[ChannelTest],
    stops: Sequence[Stop],
    member: Member,
) -> dict[str, Any]:
    what, example = ADDRESSES[channel]
    stopped = [
        each
        for each in stops
        if each.scope == "everything" or (each.scope == "channel" and each.name == channel)
    ]
    sent, failed = (report.sent_at, report.failed_at) if report else (None, None)
    return {
        "channel": channel,
        "called": CHANNELS[channel],
        "report": report,
        "stops": stopped,
        "fails": failed is not None and (sent is None or failed > sent),
        "tests": [each for each in tests if each.channel == channel][:SHOWN_TESTS],
        "what": what,
        "example": example,
        "own": (member.email or "") if channel == "email" else (member.slack or "") if channel == "slack" else "",
    }  # fmt: skip


def _wrong(channel: str, address: str) -> str:
    """What is no address of this channel; the provider says the rest."""
    what, example = ADDRESSES[channel]
    fine = 1 <= len(address) <= LONGEST_ADDRESS
    if channel == "email":
        fine = fine and _MAIL.fullmatch(address) is not None
    elif channel in ("sms", "whatsapp"):
        fine = fine and _PHONE.fullmatch(address) is not None
    elif channel == "webpush" and fine:
        try:
            push_subscription(address)
        except ValueError:
            fine = False
    return "" if fine else f"To: write the {what}, such as {example}"
