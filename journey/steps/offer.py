"""`offer`: a coupon for this customer, worth something until it is used, expires or is void."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from journey import conditions
from journey.effects import GrantOffer, OfferEnd, SettleOffer
from journey.happenings import Answer, OfferAnswer
from journey.language import (
    Block,
    Identifier,
    MomentText,
    On,
    OnFailure,
    Slug,
    SpanText,
    Step,
    Value,
    end_in_words,
)
from journey.spans import read_span
from journey.state import OpenOffer, Thread, Waiting
from journey.touchpoint import Touchpoint, stamp
from journey.turn import Turn

if TYPE_CHECKING:
    from journey.language import AnyStep


class Offer(Step):
    """Give the customer a coupon: from a pool of codes, or made for them, as the offer's file says.

    One for each time the step is reached, whatever crashes. Its code is the step's result (`NAME.code`,
    `NAME.amount`, `NAME.expires`, `NAME.state`). It is redeemed by the touchpoint `redeemed_by`, worth
    nothing from `expires` on, and void when the run ends otherwise than by its own `finish`. Where
    none is left, the customer had one `again` ago, whatever became of it, or is held out, the steps
    under `refused` are taken. Given several times, each is redeemed by its own code, and the result is the
    last one.
    """

    kind: ClassVar[str] = "offer"
    gives: ClassVar[dict[str, str]] = {
        "code": "the code, or null where there is none",
        "amount": "what it is worth, where that is decided here",
        "expires": "from when on it is worth nothing",
        "state": "asked, open, redeemed, expired, voided, refused or failed",
    }

    coupon: Slug
    """Name of the offer."""
    name: Identifier | None = Field(default=None, alias="as")
    """The name under which it can be used later; that of the offer unless said otherwise."""
    amount: Value | None = None
    """What it is worth, where that is decided here."""
    expires: MomentText
    """From when on it is worth nothing."""
    again: SpanText | None = None
    """How long the same customer gets no second one of this offer, in whatever run."""
    redeemed_by: On
    """The touchpoint by which it is used, such as an order that names `coupon.code`."""
    refused: "list[AnyStep]" = []
    """What is done when there is no coupon for this customer."""
    id: Slug | None = None
    """Its name in addresses; no two steps of a journey have the same."""
    on_failure: OnFailure = "continue"

    @property
    def called(self) -> str:
        """The name under which it can be used later."""
        return self.name or self.coupon.replace("-", "_")

    def blocks(self) -> Iterator[Block]:
        yield "refused", ("refused",), self.refused
        if isinstance(self.on_failure, list):
            yield "on_failure", ("on_failure",), self.on_failure

    def in_words(self) -> Iterator[str]:
        yield f"give the coupon {self.coupon}"
        if self.amount is not None:
            yield f"worth {self.amount}"
        yield f"good {end_in_words(self.expires, 'for')}"
        yield f"redeemed by {self.redeemed_by.in_words}"
        if self.again is not None:
            yield f"no second one within {self.again}"

    def way_in_words(self, block: str | None) -> str:
        if block is None:
            return "given"
        return "none for them" if block == "refused" else "cannot be given"

    def noted(self, block: str | None) -> tuple[str, str] | None:
        return ("no_offer", "") if block == "refused" else super().noted(block)

    def listens(self) -> Iterator[On]:
        yield self.redeemed_by

    def result(self) -> str | None:
        return self.called

    def begin(self, turn: Turn, thread: Thread) -> None:
        thread.mark = turn.state.arrivals
        if turn.state.held_out:
            turn.state.results[self.called] = {"code": None, "amount": None, "expires": None}
            self._refused(turn, thread, turn.count(), "the customer is in the hold-out group")
            return
        try:
            amount = turn.value(self.amount, turn.names(thread)) if self.amount else None
        except conditions.ConditionError as error:
            turn.note(thread.at, "condition_error", f"{self.amount}: {error}")
            amount = None
        if amount is not None and (isinstance(amount, bool) or not isinstance(amount, int | float)):
            turn.note(thread.at, "condition_error", f"{self.amount} is not a number")
            amount = None
        n, zone = turn.count(), turn.state.zone
        effect = GrantOffer(
            n=n,
            offer=self.coupon,
            amount=amount,
            expires=turn.moment_or(self.expires, turn.now, thread, turn.now),
            not_since=read_span(self.again).before(turn.now, zone) if self.again else None,
        )
        turn.wait(thread, Waiting("effect", turn.now, n=n))
        turn.ask(effect, thread)
        turn.state.results[self.called] = {
            "code": None,
            "amount": effect.amount,
            "expires": stamp(effect.expires) if effect.expires else None,
            "state": "asked",
        }

    def answered(self, turn: Turn, thread: Thread, n: int, answer: Answer) -> None:
        if not isinstance(answer, OfferAnswer):
            return
        if answer.code is None:
            self._refused(turn, thread, n, answer.reason)
            return
        known = turn.state.results.get(self.called)
        turn.state.results[self.called] = {
            **(known if isinstance(known, dict) else {}),
            "code": answer.code,
            "state": "open",
        }
        turn.changed = True
        turn.note(thread.at, "offer", f"{self.coupon} given")
        watch = turn.spawn(thread, thread.at, "offer", joins=False)
        # Each coupon is redeemed by its own code, also where a later one has the name by now.
        watch.items[self.called] = turn.state.results[self.called]
        turn.state.offers.append(OpenOffer(n, self.called, answer.code))
        began = thread.waiting.began if thread.waiting else turn.now
        turn.wait(watch, Waiting("offer", began, n=n))
        self.refresh(turn, watch)
        self.mail(turn, watch)
        turn.proceed(thread)

    def _refused(self, turn: Turn, thread: Thread, n: int, why: str) -> None:
        self._becomes(turn, n, "refused")
        turn.changed = True
        turn.note(thread.at, "no_offer", f"no {self.coupon}: {why}")
        turn.enter(thread, "refused")

    def failed(self, turn: Turn, thread: Thread, n: int, why: str) -> None:
        self._becomes(turn, n, "failed")
        turn.fail(thread, n, self.on_failure, f"{self.coupon}: {why}")

    def refresh(self, turn: Turn, thread: Thread) -> None:
        # The coupon's end was written when it was given: it does not move with what it named.
        waiting, known = thread.waiting, turn.state.results.get(self.called)
        if waiting is None or waiting.kind != "offer" or waiting.deadline is not None:
            return
        expires = known.get("expires") if isinstance(known, dict) else None
        waiting.deadline = turn.stamped(expires) or waiting.began

    def mail(self, turn: Turn, thread: Thread) -> None:
        if thread.waiting is None or thread.waiting.kind != "offer":
            return

        def redeems(touchpoint: Touchpoint) -> bool:
            return turn.is_about(self.redeemed_by, touchpoint, thread, thread.at)

        mail = turn.earliest(thread, redeems)
        if mail is not None:
            self.settle(turn, thread, "redeemed", f"{self.redeemed_by.on} came")

    def redeemed_at_the_end(self, turn: Turn, thread: Thread, touchpoint: Touchpoint) -> None:
        """Look whether the touchpoint that ends the run redeems the coupon: then it is not void."""
        if turn.is_about(self.redeemed_by, touchpoint, thread, thread.at):
            self.settle(turn, thread, "redeemed", f"{self.redeemed_by.on} came")

    def alarm(self, turn: Turn, thread: Thread) -> None:
        if thread.waiting is not None and thread.waiting.kind == "offer":
            self.settle(turn, thread, "expired", f"{self.coupon} was not used in time")

    def settle(self, turn: Turn, thread: Thread, state: OfferEnd, why: str) -> None:
        """The coupon has ended, and with it the thread that watches it."""
        n = thread.waiting.n if thread.waiting else None
        if n is None:
            return
        turn.note(thread.at, "offer", f"{self.coupon} {state}: {why}")
        self._becomes(turn, n, state)
        turn.changed = True
        turn.ask(SettleOffer(n=turn.count(), grant=n, state=state, reason=why), None)
        turn.state.offers = [other for other in turn.state.offers if other.n != n]
        turn.state.threads = [other for other in turn.state.threads if other is not thread]

    def _becomes(self, turn: Turn, n: int, state: str) -> None:
        known = turn.state.results.get(self.called)
        told = known if isinstance(known, dict) else {}
        coupon = next((offer for offer in turn.state.offers if offer.n == n), None)
        if coupon is None or coupon.is_told_by(told):
            turn.state.results[self.called] = {**told, "state": state}

    def words(self, turn: Turn, thread: Thread) -> str:
        waiting = thread.waiting
        if waiting and waiting.kind == "offer" and waiting.deadline:
            return f"{self.coupon} to be used by {waiting.deadline:%Y-%m-%d %H:%M} UTC"
        return f"{self.coupon} to be given"
