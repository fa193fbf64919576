"""What is known of a customer in one look: who they are, their way, what they feel, what may be decided."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from contracts.case_brief import CaseBrief, Choice, Felt, Passed, Promised, Who
from journey.effects import OfferedDecision
from journey.queues import QueuesFile
from stores.case_rows import Case
from stores.database import Pool
from stores.house import HouseStore
from stores.members import Member
from stores.moment import Moment, MomentStore

PLACE = "agent"
_NAMES = ("first_name", "last_name")
_SHOWN_FIRST = 12


class PlainBriefStore:
    """Makes briefs of the moment of the customer."""

    def __init__(self, pool: Pool) -> None:
        self._house = HouseStore(pool)
        self._moments = MomentStore(pool, self._house)

    async def of(self, case: Case, member: Member) -> CaseBrief:
        """The brief of a case for one member."""
        moment = await self._moments.of(case.customer, PLACE)
        house = (await self._house.house()).queues
        choices = tuple(_choice(name, each, member, house) for name, each in case.decisions.items())
        if moment is None:
            who = Who(customer=case.customer, name="")
            return CaseBrief(
                who=who, passed=(), promised=(), felt=(), failed=(), suggested=(), choices=choices,
                traits={},
            )  # fmt: skip
        return CaseBrief(
            who=_who(moment),
            passed=_passed(moment),
            promised=tuple(
                Promised(
                    words=f"{each['name']} ({each['journey']})", by=each["by"], state=each["state"]
                )
                for each in moment.promises
            ),
            felt=tuple(
                Felt(feeling=each.feeling, why=each.evidence, at=each.at)
                for each in moment.readings
            ),
            failed=tuple(f"{each['title']}: {each['words']}" for each in moment.problems),
            suggested=(),
            choices=choices,
            traits=moment.customer.traits,
            other_cases=tuple(
                (each["case"], each["brief"].split("\n", 1)[0][:120])
                for each in moment.cases
                if each["case"] != case.case
            ),
        )


def _who(moment: Moment) -> Who:
    traits = moment.customer.traits
    name = " ".join(str(traits[each]) for each in _NAMES if isinstance(traits.get(each), str))
    whole, locale = traits.get("name"), traits.get("locale")
    return Who(
        customer=moment.customer.customer,
        name=name or (whole if isinstance(whole, str) else ""),
        personas=tuple(each.title for each in moment.personas),
        locale=locale if isinstance(locale, str) else "",
        zone=moment.customer.zone or "",
    )


def _passed(moment: Moment) -> tuple[Passed, ...]:
    told = [
        Passed(
            at=each["at"], kind="message", channel=each["channel"],
            words=f"{each['message']} ({each['journey']})", failed=each["state"] != "accepted",
        )
        for each in moment.told
    ]  # fmt: skip
    heard = [
        Passed(at=each["at"], kind="reply", channel=each["channel"], words=each["text"])
        for each in moment.heard
    ]
    runs = [
        Passed(at=each["entered_at"], kind="touchpoint", channel="", words=_run_in_words(each))
        for each in moment.runs[:_SHOWN_FIRST]
    ]
    return _in_order([*told, *heard, *runs])


def _in_order(passed: Sequence[Passed]) -> tuple[Passed, ...]:
    def at(each: Passed) -> datetime:
        return each.at

    return tuple(sorted(passed, key=at))


def _run_in_words(run: dict[str, Any]) -> str:
    title = run["words"].title or run["journey"]
    stage = run["words"].stages.get(run["stage"] or "", (run["stage"] or "", None))[0]
    return f"{title}: {stage}" if stage else title


def _choice(
    name: str, offered: OfferedDecision, member: Member, house: QueuesFile | None
) -> Choice:
    limit = member.authority(house)
    allowed = "yes" if limit is None or offered.authority is None else f"up to {limit:g}"
    return Choice(
        decision=name,
        title=offered.title or name.replace("-", " ").capitalize(),
        fields=offered.fields,
        does="",
        allowed=allowed,
    )
