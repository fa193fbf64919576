"""Cases stand at a desk outside as they stand here, and what is decided there is decided here, once."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from activities.message_channel import ProviderBusyError, ProviderRefusedError
from contracts.outside_desk import DecidedOutside, HeardOutside, ShownCase
from journey.effects import OfferedDecision
from routing.outside_desks import DeskMirror
from stores.case_desk import CaseDesk
from stores.members import Member, MemberStore
from stores.staff_opened_cases import NewCase, StaffOpenedCaseStore
from tests.integration.stores.conftest import Shop
from workers.delivery_worker import desk_mirror

OFFERED = {"pay": OfferedDecision(fields={"amount": "number"}, authority="amount")}


class KilledError(Exception):
    """The worker died."""


@dataclass
class FakeDesk:
    """A desk outside that knows cases by our id, as one with external ids does."""

    name: str = "fake"
    tickets: dict[str, ShownCase] = field(default_factory=dict[str, ShownCase])
    puts: int = 0
    says: list[DecidedOutside] = field(default_factory=list[DecidedOutside])
    refused: list[str] = field(default_factory=list[str])
    trouble: list[Exception] = field(default_factory=list[Exception])

    async def put(self, case: ShownCase, known: str | None) -> str:
        self.puts += 1
        if self.trouble:
            raise self.trouble.pop(0)
        self.tickets[case.case] = case
        return known or f"t-{len(self.tickets)}"

    async def heard(self, since: str) -> HeardOutside:
        return HeardOutside(decisions=tuple(self.says), asked_to=f"{since}+")

    async def refuse(self, outside_id: str, words: str) -> None:
        self.refused.append(f"{outside_id}: {words}")


class Floor:
    """A shop, its desk outside, and who works there."""

    def __init__(self, shop: Shop) -> None:
        self.shop, self.fake, self.desk = shop, FakeDesk(), CaseDesk(shop.pool)
        self.mirror: DeskMirror = desk_mirror(
            shop.pool, lambda: None, self.fake, "https://clew.test/"
        )

    async def rested(self) -> None:
        """As if all that happened had rested, and the desk was asked a while ago."""
        await self.shop.rows(
            "update case_events set at_wall = at_wall - interval '1 minute' returning 1"
        )
        await self.shop.rows(
            "update outside_desks set next_at = now(), held_to = null, asked_at = '-infinity' returning 1"
        )

    async def round(self) -> None:
        await self.rested()
        await self.mirror.round()

    async def opened(self, customer: str = "+420777123456") -> str:
        new = NewCase(
            customer=customer, queue="desk", brief="Rang", title="Lost bag", decisions=OFFERED
        )
        case, _ = await StaffOpenedCaseStore(self.shop.pool).open_by_staff(new, by="eva")
        return case.case

    def decides(self, case: str, line: str, by: str = "EVA@house.example", seen: str = "1") -> None:
        told = DecidedOutside(case=case, outside_id="t-1", by=by, line=line, seen=seen)
        self.fake.says = [told]


@pytest.fixture
async def floor(shop: Shop) -> Floor:
    floor = Floor(shop)
    member = Member(
        member="eva",
        name="Eva",
        role="agent",
        queues=("desk",),
        grants=50,
        email="eva@house.example",
    )
    await MemberStore(shop.pool).put(member, by="test")
    await floor.round()  # it begins with what happens from now on
    return floor


async def test_a_case_is_shown_as_it_stands_and_changes_with_it(floor: Floor) -> None:
    case = await floor.opened()
    await floor.round()
    [first] = floor.fake.tickets.values()
    await floor.desk.claim(case, "eva")
    await floor.desk.note(case, "eva", "Waits on line 2")
    await floor.round()
    await floor.round()

    assert (first.title, first.brief, first.state, first.over) == (
        "Lost bag",
        "Rang",
        "open",
        False,
    )
    assert first.link.startswith("https://clew.test/staff/case/0:")
    shown = floor.fake.tickets[case]
    assert (shown.state, shown.holder, shown.holder_name) == ("claimed", "eva@house.example", "Eva")
    assert floor.fake.puts == 2  # two things happened: it is shown once


async def test_whatever_crashes_it_is_shown_and_a_desk_that_is_away_misses_nothing(
    floor: Floor,
) -> None:
    case = await floor.opened()
    floor.fake.trouble = [
        KilledError(),
        ProviderBusyError("away"),
        ProviderRefusedError("no", reason="not_taken"),
    ]
    with pytest.raises(KilledError):
        await floor.round()
    await floor.round()
    [away] = await floor.shop.rows("select failures, failed_why from outside_desks")
    other = await floor.opened("+420777000111")
    await floor.round()

    assert (away["failures"], away["failed_why"]) == (1, "away")
    assert list(floor.fake.tickets) == [other]  # the first one it did not want
    await floor.desk.claim(case, "eva")
    await floor.round()
    assert set(floor.fake.tickets) == {case, other}


async def test_what_is_decided_there_is_decided_here_once_and_the_ticket_follows(
    floor: Floor,
) -> None:
    case = await floor.opened()
    await floor.round()
    floor.decides(case, "pay amount=20,5")
    await floor.round()
    await floor.round()

    found = await floor.desk.case(case)
    assert found is not None
    assert (found.decision, found.fields, found.decided_by) == ("pay", {"amount": 20.5}, "eva")
    assert floor.fake.tickets[case].over
    assert floor.fake.refused == []
    [told] = await floor.shop.rows(
        "select count(*) as n from case_events where did like 'decided%%'"
    )
    assert told["n"] == 1


async def test_who_died_before_it_was_written_down_decides_not_twice(floor: Floor) -> None:
    case = await floor.opened()
    await floor.round()
    floor.decides(case, "pay amount=20")

    class Dying:
        def __getattr__(self, name: str) -> Any:
            return getattr(floor.mirror.desks, name)

        async def take(self, *_: str) -> None:
            raise KilledError

    await floor.rested()
    with pytest.raises(KilledError):
        await replace(floor.mirror, desks=Dying()).round()
    await floor.round()

    assert floor.fake.refused == []
    assert (await floor.mirror.desks.taken(case, "fake")) == "1"


@pytest.mark.parametrize(
    ("line", "by", "says"),
    [
        ("pay amount=80", "eva@house.example", "more than the 50"),
        ("pay amount=much", "eva@house.example", "is no number"),
        ("give amount=1", "eva@house.example", "on offer: pay"),
        ("pay amount=1", "stranger@evil.example", "nobody who works here"),
    ],
)
async def test_what_may_not_be_decided_is_refused_there_once_in_words(
    floor: Floor, line: str, by: str, says: str
) -> None:
    case = await floor.opened()
    await floor.round()
    floor.decides(case, line, by)
    await floor.round()
    await floor.round()

    [refused] = floor.fake.refused
    assert says in refused
    found = await floor.desk.case(case)
    assert found is not None
    assert found.state == "open"


async def test_a_case_of_who_was_erased_is_passed_over(floor: Floor) -> None:
    case = await floor.opened()
    await floor.shop.rows('delete from cases where "case" = %s returning 1', case)
    await floor.round()

    assert floor.fake.puts == 0
