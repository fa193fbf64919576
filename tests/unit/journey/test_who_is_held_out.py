"""Who is held out lives through the whole journey, and is told nothing and given nothing anywhere."""

from journey.effects import GrantOffer
from tests.unit.journey.story import Run, entered, on

JOURNEY = on(
    "show: {at: [web, till], say: Ask us, until: 2d}",
    "offer: {coupon: ten, expires: 5d, redeemed_by: {on: Bought}, refused: [{finish: without}]}",
    "wait: 1d",
    "finish: with-coupon",
)


def shown(run: Run) -> bool:
    return any(show.shown for record in run.records for show in record.shows)


def test_they_are_shown_nothing_at_any_place() -> None:
    assert shown(entered(JOURNEY, busy=(GrantOffer,)))
    assert not shown(entered(JOURNEY, held_out=True))


def test_they_take_no_coupon_from_who_would_be_told_of_it() -> None:
    held = entered(JOURNEY, held_out=True)

    assert held.effects == []
    assert held.outcome == "without"
    assert "no_offer: no ten: the customer is in the hold-out group" in held.why
    assert held.state.results["ten"] == {
        "code": None,
        "amount": None,
        "expires": None,
        "state": "refused",
    }


def test_who_is_not_held_out_is_asked_for_as_always() -> None:
    told = entered(JOURNEY, busy=(GrantOffer,))

    assert [effect.offer for effect in told.effects if isinstance(effect, GrantOffer)] == ["ten"]
