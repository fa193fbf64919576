"""How the house is set: queues, members and their roles; caps and quiet hours. Read here, written in files."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from starlette.responses import Response

from console.inbox_door import InboxDoor, Visit
from console.settings_page import LIMITS, QUEUES, settings_page
from journey.channels import CHANNELS
from journey.effects import Purpose
from journey.house_policy import NO_POLICY, Cap, HousePolicy, QuietHours
from journey.queues import QueuesFile
from journey.staff_roles import MEMBER_ROLES
from stores.members import Absence, Member
from stores.published import LiveFile
from stores.queue_standings import QueueStanding

MINUTES = 24 * 60
MOST_MEMBERS = 500
NEEDS = {
    "opt_in": "only who said yes",
    "opt_out": "all but who said no",
    "none_needed": "everybody",
}
ROLES = {
    "agent": "answers customers: cases in the inbox",
    "lead": "leads those who do: approves, and sees mission control",
    "editor": "writes journeys: publishes, acts on all at a step",
    "analyst": "reads figures and customers, and changes nothing",
    "admin": "may do all: stops, keys, tests of channels",
}


class Standings(Protocol):
    """How queues stand; `stores.queue_standings` says what it guarantees."""

    async def standings(self, now: datetime) -> list[QueueStanding]: ...


class Members(Protocol):
    """Who works here; `stores.members` says what it guarantees."""

    async def members(self) -> list[Member]: ...
    async def absences(self) -> list[Absence]: ...


class Policies(Protocol):
    """The policy that holds."""

    async def current(self) -> HousePolicy: ...


class Files(Protocol):
    """The files of the house that are live."""

    async def house_files(self) -> list[LiveFile]: ...


class Houses(Protocol):
    """What is live of the house."""

    async def queues(self) -> QueuesFile | None: ...


@dataclass(slots=True, frozen=True, kw_only=True)
class HousePage:
    """Both pages. `now`: wall time."""

    door: InboxDoor
    standings: Standings
    members: Members
    policies: Policies
    files: Files
    houses: Houses
    now: Callable[[], datetime]

    async def queues(self, visit: Visit) -> Response:
        """Each queue with its members and open cases, who works here in which role, and where that is changed."""
        now = self.now()
        standings, members = await self.standings.standings(now), await self.members.members()
        house, absences = await self.houses.queues(), await self.members.absences()
        roles = Counter(each.role for each in members)
        away = {each.member: each.until for each in absences if each.since <= now < each.until}
        values: dict[str, Any] = {
            "standings": standings,
            "most": max((each.waiting + each.taken for each in standings), default=0) or 1,
            "members": [_member(each, house, away) for each in members[:MOST_MEMBERS]],
            "members_more": max(0, len(members) - MOST_MEMBERS),
            "roles": [(role, ROLES[role], roles[role]) for role in MEMBER_ROLES],
            "file": await self._file("queues"),
        }
        return settings_page(self.door, visit, QUEUES, "control-queues.html", values)

    async def limits(self, visit: Visit) -> Response:
        """What holds now for each purpose and channel, from which file, and how it is changed."""
        policy = await self.policies.current()
        values: dict[str, Any] = {
            "policy": policy,
            "published": policy is not NO_POLICY,
            "marketing": [_held(policy, each) for each in CHANNELS],
            "service": _needs(policy, "service"),
            "caps": [_cap(each) for each in policy.caps],
            "rates": sorted(policy.rates.items()),
            "file": await self._file("policy"),
        }
        return settings_page(self.door, visit, LIMITS, "control-limits.html", values)

    async def _file(self, kind: str) -> LiveFile | None:
        return next((each for each in await self.files.house_files() if each.kind == kind), None)


def _member(member: Member, house: QueuesFile | None, away: dict[str, datetime]) -> dict[str, Any]:
    return {
        "member": member,
        "authority": member.authority(house),
        "decides": member.works,
        "away": away.get(member.member),
    }


def _needs(policy: HousePolicy, purpose: Purpose) -> list[tuple[str, list[str]]]:
    """What a customer must have said, and by which channels that is so."""
    by_need: dict[str, list[str]] = {}
    for channel in CHANNELS:
        by_need.setdefault(policy.consent.needs(purpose, channel), []).append(channel)
    return [(NEEDS[need], channels) for need, channels in by_need.items()]


def _held(policy: HousePolicy, channel: str) -> dict[str, Any]:
    """What holds marketing by one channel."""
    quiet = [
        each for each in policy.quiet_hours if each.channels is None or channel in each.channels
    ]
    caps = [each for each in policy.caps if each.channel in (None, channel)]
    return {
        "channel": channel,
        "called": CHANNELS[channel],
        "need": NEEDS[policy.consent.needs("marketing", channel)],
        "quiet": [_quiet(each) for each in quiet],
        "strip": _strip(quiet),
        "caps": [_cap(each) for each in caps],
        "rate": policy.rates.get(channel),
    }


def _quiet(hours: QuietHours) -> str:
    """`21:00–08:00`, and on which days where it is not each."""
    days = [each.title() for each in hours.weekdays]
    days += [f"holidays of {hours.holidays}"] if hours.holidays else []
    return f"{hours.begins}–{hours.ends}{' on ' + ', '.join(days) if days else ''}"


def _strip(quiet: Sequence[QuietHours]) -> list[tuple[int, int, bool]]:
    """Stretches of a day in which marketing waits: from which minute, how many; whether on some days only."""
    found: list[tuple[int, int, bool]] = []
    for each in quiet:
        told = each.quiet(None)
        begins, ends = told.begins_minute, told.ends_minute
        if begins < ends:
            found.append((begins, ends - begins, each.by_day))
        else:
            found.append((begins, MINUTES - begins, each.by_day))
            found.append((0, ends, each.by_day))
    return sorted((each for each in found if each[1]), key=lambda each: not each[2])


def _cap(cap: Cap) -> str:
    counted = "marketing" if cap.purpose == "marketing" else "all that left"
    return f"{cap.in_words}, counting {counted}"
