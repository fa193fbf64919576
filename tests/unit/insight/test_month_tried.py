"""A month is played as it was, a sample says what it leaves open, and the house keeps its policy."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from contracts.recorded_past import PastCustomer, PastSize, PastSpan, PastTouchpoint
from insight.month_tried import MOST_CUSTOMERS, TooMuchToTryError, month_tried
from insight.recorded_touchpoints import Recorded
from insight.sorted_recording import lot_of
from insight.tried import MonthOrder, Row
from journey.house_policy import NO_POLICY, HousePolicy
from journey.sending_caps import Sent
from tests.unit.insight.recordings import DAY, NOON, TEA, came, guests, journey

ONCE_A_WEEK = HousePolicy.model_validate({"caps": [{"at_most": 1, "within": "7d"}]})


@dataclass
class RememberedPast:
    """What an installation remembers, in memory. `size_told`: as much as it says that there is."""

    recorded: list[Recorded]
    house: HousePolicy = NO_POLICY
    size_told: PastSize | None = None
    sent: dict[str, tuple[Sent, ...]] = field(default_factory=dict[str, tuple[Sent, ...]])
    spans: list[PastSpan] = field(default_factory=list[PastSpan])

    @contextmanager
    def __call__(self, span: PastSpan) -> Generator["RememberedPast"]:
        self.spans.append(span)
        yield self

    def size(self) -> PastSize:
        names = {each.customer for each in self.recorded}
        return self.size_told or PastSize(
            customers=len(names), touchpoints=len(self.recorded), size=1_000
        )

    def policy(self) -> HousePolicy:
        return self.house

    def touchpoints(self, share: float = 1.0) -> Iterator[PastTouchpoint]:
        for each in self.recorded:
            if each.customer is None or _drawn(each.customer, share):
                yield PastTouchpoint(customer=each.customer, touchpoint=each.touchpoint)

    def customers(self, policy: HousePolicy, share: float = 1.0) -> Iterator[PastCustomer]:
        for name in sorted({each.customer for each in self.recorded if each.customer}):
            if _drawn(name, share):
                yield PastCustomer(
                    customer=name, traits={}, zone=None, addresses={"email": f"{name}@tea.example"},
                    sent=self.sent.get(name, ()),
                )  # fmt: skip


def _drawn(name: str, share: float) -> bool:
    return lot_of(f"drawn {name}") < share * 2**64


def order(edited: str = TEA, live: str | None = TEA) -> MonthOrder:
    ends = NOON + timedelta(days=28)
    return MonthOrder(
        url="", edited=journey(edited).canonical.decode(),
        live=None if live is None else journey(live).canonical.decode(),
        begins=NOON, ends=ends, received_since=NOON,
    )  # fmt: skip


def row(rows: list[Row], part: str, name: str, detail: str = "") -> Row:
    [found] = [each for each in rows if (each.part, each.name, each.detail) == (part, name, detail)]
    return found


def test_all_customers_are_counted_to_the_last_where_there_are_few(tmp_path: Path) -> None:
    found = month_tried(order(), RememberedPast(guests(200)), tmp_path)

    who = row(found.rows, "enters", "customers")
    assert (found.share, found.scaled, found.played) == (1.0, False, 200)
    assert who.live == who.edited
    assert (who.edited.margin, who.differs) == (0, False)
    assert who.edited.n == row(found.rows, "enters", "times").edited.n > 150


def test_a_sample_is_scaled_up_and_says_what_it_may_be_off_by(tmp_path: Path) -> None:
    everybody = guests(3_000)
    (tmp_path / "all").mkdir()
    whole = month_tried(order(), RememberedPast(everybody), tmp_path / "all")
    size = PastSize(customers=5 * MOST_CUSTOMERS, touchpoints=len(everybody), size=1_000)
    (tmp_path / "part").mkdir()

    found = month_tried(order(), RememberedPast(everybody, size_told=size), tmp_path / "part")

    assert (found.share, found.scaled) == (0.2, True)
    assert 450 < found.played < 750
    for part, name, detail in (
        ("enters", "customers", ""),
        ("ends", "again", "goal"),
        ("sent", "how-was-it", "email"),
    ):
        true, told = row(whole.rows, part, name, detail), row(found.rows, part, name, detail)
        assert 0 < told.edited.margin < true.edited.n / 2
        assert abs(told.edited.n - true.edited.n) <= 1.5 * told.edited.margin
        assert not told.differs


def test_a_change_that_the_sample_explains_is_not_marked_and_a_real_one_is(tmp_path: Path) -> None:
    size = PastSize(customers=5 * MOST_CUSTOMERS, touchpoints=5_000, size=1_000)
    cheaper = TEA.replace("price >= 2.0", "price >= 0.5")

    found = month_tried(order(cheaper), RememberedPast(guests(2_000), size_told=size), tmp_path)

    assert row(found.rows, "enters", "customers").differs
    assert not row(found.rows, "ends", "lost").differs or row(found.rows, "ends", "lost").edited.n


def test_a_part_of_those_who_share_a_cap_is_not_scaled_up(tmp_path: Path) -> None:
    capped = TEA.replace("hold_out: 20%", "hold_out: 20%, cap: {per_day: 10}")
    size = PastSize(customers=2 * MOST_CUSTOMERS, touchpoints=1_000, size=1_000)

    found = month_tried(order(capped), RememberedPast(guests(300), size_told=size), tmp_path)

    assert (found.scaled, found.together) == (False, "entries are capped")
    assert row(found.rows, "enters", "customers").edited.margin == 0


def test_caps_of_the_house_hold_back_what_others_used_up(tmp_path: Path) -> None:
    recorded = [came("ann", "Tea Bought", DAY, price=3.0), came("bob", "Tea Bought", DAY, price=3.0)]  # fmt: skip
    open_to_all = TEA.replace(", hold_out: 20%", "").replace(
        "purpose: marketing", "purpose: marketing, good_for: 2d"
    )
    letter = Sent(at=NOON, purpose="marketing", channel="email", topic=None, journey="news")
    past = RememberedPast(recorded, house=ONCE_A_WEEK, sent={"ann": (letter,)})

    found = month_tried(order(open_to_all, None), past, tmp_path)

    assert row(found.rows, "sent", "how-was-it", "email").edited.n == 1
    assert row(found.rows, "held", "how-was-it", "capped").edited.n == 1
    assert all(each.live is None for each in found.rows)


def test_a_journey_by_its_audience_asks_for_everybody(tmp_path: Path) -> None:
    looked = TEA.replace(
        "{on: Tea Bought, when: event.properties.price >= 2.0, again: after 7d, hold_out: 20%}",
        "{audience: 'customer.tier == \"gold\"'}",
    )
    past = RememberedPast(guests(5))

    month_tried(order(looked), past, tmp_path)
    month_tried(order(), past, tmp_path)

    assert [span.everybody for span in past.spans] == [True, False]


def test_too_much_of_a_few_is_refused_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("insight.month_tried.MOST_TOUCHPOINTS", 20)
    subject = {"kind": "pot", "id": "p1"}
    crowd = [came(None, "Pot Filled", n * timedelta(minutes=1), subject=subject) for n in range(90)]

    with pytest.raises(TooMuchToTryError, match="clew backtest"):
        month_tried(order(), RememberedPast(crowd), tmp_path)
