"""`split`: some customers this way, some that, by lot; the same customer always the same way."""

from collections.abc import Iterator
from itertools import accumulate
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from journey.chance import chance
from journey.language import Block, Identifier, Model, Slug, Step, told_apart
from journey.state import Thread
from journey.turn import Turn

if TYPE_CHECKING:
    from journey.language import AnyStep


class Arm(Model):
    """One way of a split."""

    arm: Slug
    """What it is called in reports."""
    weight: float = Field(default=1, gt=0, le=1_000_000)
    """Its share, measured against the other arms."""
    hold_out: bool = False
    """From here on nothing is sent in this run: sends are refused as `held_out`, goals still count."""
    do: "list[AnyStep]" = []
    """What is done for customers of this arm."""


class Split(Step):
    """Divide customers among arms by lot.

    The lot is a hash of the journey, the split's `name` and the customer: the same on every run and
    version, as long as the arms keep their order and weights. The arm is on record (`arm` in the
    trace), and conditions name it: `NAME.arm == 'coupon'`.
    """

    kind: ClassVar[str] = "split"
    gives: ClassVar[dict[str, str]] = {"arm": "the arm of this customer"}

    name: Identifier
    """What is being tried out; another name draws anew."""
    arms: list[Arm] = Field(min_length=2, max_length=50)
    """The ways to go."""
    by: Literal["hash"] = "hash"
    """How the arm is drawn."""
    id: Slug | None = None
    """Its name in addresses; no two steps of a journey have the same."""

    def blocks(self) -> Iterator[Block]:
        for index, arm in enumerate(self.arms):
            yield arm.arm, ("arms", index, "do"), arm.do

    def in_words(self) -> Iterator[str]:
        yield f"split by lot: {self.name}"

    def way_in_words(self, block: str | None) -> str:
        whole = sum(arm.weight for arm in self.arms)
        arm = next(arm for arm in self.arms if arm.arm == block)
        share = f"{arm.arm}, {100 * arm.weight / whole:.3g} %"
        return f"{share}, nothing is sent" if arm.hold_out else share

    def noted(self, block: str | None) -> tuple[str, str] | None:
        return ("arm", block) if block is not None else None

    def falls_through(self, block_falls: dict[str, bool]) -> bool:
        return any(block_falls.values())

    def result(self) -> str | None:
        return self.name

    def problems(self) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
        yield from told_apart([arm.arm for arm in self.arms])

    def begin(self, turn: Turn, thread: Thread) -> None:
        arm = self.drawn(turn.program.journey, turn.state.customer)
        turn.state.results[self.name] = {"arm": arm.arm}
        turn.changed = True
        turn.note(thread.at, "arm", f"{arm.arm} of {self.name}")
        if arm.hold_out and not turn.state.held_out:
            turn.state.held_out = True
            turn.note(thread.at, "held_out", f"nothing is sent from here on: {arm.arm}")
        turn.enter(thread, arm.arm)

    def drawn(self, journey: str, customer: str) -> Arm:
        """The arm of this customer."""
        bounds = list(accumulate(arm.weight for arm in self.arms))
        lot = chance(journey, self.name, customer) * bounds[-1]
        return next(arm for arm, bound in zip(self.arms, bounds, strict=True) if lot < bound)
