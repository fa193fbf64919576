"""Writing to members of staff that a case is theirs, or that approval is asked for: at most once each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

import structlog
from pydantic import JsonValue

from activities.message_channel import (
    ProviderAnswer,
    ProviderBusyError,
    ProviderRefusedError,
    RenderedMessage,
    UnknownOutcomeError,
)
from contracts.ids import case_page
from journey.decision_line import lines_of
from journey.effects import OfferedDecision
from routing.background_work import pause_after

PAUSES = tuple(timedelta(seconds=each) for each in (5, 30, 120, 600, 1_800, 3_600))
"""Between attempts, the last of them again and again."""

_log = structlog.get_logger(__name__)


class MailToStaff(Protocol):
    """A mail; `stores.staff_mails.StaffMail` says what each part is."""

    @property
    def mail(self) -> int: ...
    @property
    def about(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def words(self) -> str: ...
    @property
    def attempts(self) -> int: ...
    @property
    def member(self) -> str: ...
    @property
    def email(self) -> str | None: ...
    @property
    def zone(self) -> str: ...
    @property
    def left_at(self) -> datetime | None: ...
    @property
    def entry(self) -> int: ...
    @property
    def n(self) -> int: ...
    @property
    def title(self) -> str: ...
    @property
    def brief(self) -> str: ...
    @property
    def decisions(self) -> Mapping[str, OfferedDecision]: ...
    @property
    def approval(self) -> Mapping[str, JsonValue] | None: ...
    @property
    def due(self) -> datetime | None: ...
    @property
    def who(self) -> str | None: ...
    @property
    def said(self) -> str | None: ...


class StaffMails(Protocol):
    """Where mails to staff are kept; `stores.staff_mails.StaffMailStore` says what each guarantees."""

    async def spread(self) -> bool: ...
    async def hold(self) -> MailToStaff | None: ...
    async def settled(self, mail: int, state: str, why: str = "") -> None: ...
    async def again(self, mail: int, why: str, pause: timedelta) -> None: ...


class MailPost(Protocol):
    """The way by which mail goes out, whose answers come to addresses of staff."""

    async def send(self, message: RenderedMessage) -> ProviderAnswer: ...


@dataclass(slots=True, frozen=True, kw_only=True)
class StaffMailRound:
    """Finds whom events concern, and sends one mail each round. `key_of` names a mail, the same at every attempt."""

    mails: StaffMails
    post: MailPost
    key_of: Callable[[int, int, str, str], str]
    public_url: str
    wall_clock: Callable[[], datetime]

    async def round(self) -> bool:
        """Whether there may be more."""
        found = await self.mails.spread()
        mail = await self.mails.hold()
        if mail is None:
            return found
        if mail.email is None or mail.left_at is not None:
            await self.mails.settled(mail.mail, "refused", "has no address, or works here no more")
            return True
        try:
            await self.post.send(self._rendered(mail, mail.email))
        except ProviderBusyError as error:
            pause = pause_after(mail.attempts - 1, PAUSES, error)
            await self.mails.again(mail.mail, str(error), pause)
            _log.warning("staff_mail_waits", mail=mail.mail, error=str(error), again_in=str(pause))
        except UnknownOutcomeError as error:
            await self.mails.settled(mail.mail, "unknown", str(error))
        except ProviderRefusedError as error:
            await self.mails.settled(mail.mail, "refused", str(error))
        else:
            await self.mails.settled(mail.mail, "sent")
        return True

    def _rendered(self, mail: MailToStaff, address: str) -> RenderedMessage:
        name = f"{mail.entry}:{mail.n}"
        link = case_page(self.public_url, name)
        return RenderedMessage(
            key=self.key_of(mail.entry, mail.n, mail.about, mail.member),
            customer="",
            address=address,
            purpose="service",
            subject=f"[{name}] {mail.title}".strip(),
            text=text_of(mail, link),
            at=self.wall_clock(),
        )


def text_of(mail: MailToStaff, link: str) -> str:
    """What stands in the mail."""
    parts = [_first(mail), mail.brief.strip()]
    if mail.kind != "answer" or mail.decisions:
        parts.append(
            "\n".join(["Answer this mail with one of these as its first line:", *_lines(mail)])
        )
    parts.append(
        "What stands below such lines, or alone, is sent to the customer from the case ten seconds later."
    )
    if mail.due is not None:
        parts.append(f"Due {_moment(mail.due, mail.zone)}.")
    parts.append(link)
    return "\n\n".join(each for each in parts if each)


def _first(mail: MailToStaff) -> str:
    match mail.kind:
        case "asked":
            asked = mail.approval or {}
            fields = asked.get("fields")
            told = _told(fields if isinstance(fields, dict) else {})
            wanted = f"{asked.get('decision', 'a decision')} {told}".strip()
            return f"{mail.who} asks for approval of {wanted}: {mail.said or ''}".strip()
        case "answer":
            return mail.words
        case _:
            by = f" from {mail.who}" if mail.who and mail.who != "clew" else ""
            said = f": {mail.said}" if mail.said else ""
            return f"This case is yours now{by}{said}."


def _told(fields: Mapping[str, JsonValue]) -> str:
    return " ".join(f"{name}={value}" for name, value in fields.items())


def _lines(mail: MailToStaff) -> list[str]:
    if mail.kind == "asked":
        return ["  #approve", "  #disapprove why not", "  #note what others must know"]
    decisions = [f"  #decide {each}" for each in lines_of(mail.decisions)]
    return ["  #claim", *decisions, "  #note what others must know", "  #let-go"]


def _moment(at: datetime, zone: str) -> str:
    try:
        return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} ({zone})"
    except (KeyError, ValueError, OSError):  # a zone that this machine does not know
        return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} (UTC)"
