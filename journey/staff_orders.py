"""What a member of staff writes in answer to a mail about a case: orders on lines with `#`, then a letter. Pure."""

from dataclasses import dataclass
from typing import Literal, get_args

Order = Literal["claim", "decide", "ask", "note", "let-go", "approve", "disapprove"]

ORDERS: tuple[str, ...] = get_args(Order)
MOST_ORDERS = 20


class UnreadableOrderError(ValueError):
    """A line that begins with # says nothing that can be done; the message says what can be written."""


@dataclass(slots=True, frozen=True, kw_only=True)
class Ordered:
    """One order. `text`: what stands behind it; `ask`: why it should be granted, where the next line says so."""

    order: Order
    text: str = ""
    ask: str | None = None


def read_orders(text: str) -> tuple[list[Ordered], str]:
    """The orders at the head of an answer, and the letter below them, which may be empty.

    Raises: `UnreadableOrderError`: then nothing of the answer is to be done, a letter may have been meant as one.
    """
    lines = text.strip().split("\n")
    orders: list[Ordered] = []
    at = 0
    while at < len(lines):
        line = lines[at].strip()
        if line and not line.startswith("#"):
            break
        if line:
            _read(line, orders)
        at += 1
    if len(orders) > MOST_ORDERS:
        raise UnreadableOrderError(f"{MOST_ORDERS} lines with # at most")
    return orders, "\n".join(lines[at:]).strip()


def _read(line: str, orders: list[Ordered]) -> None:
    name, _, rest = line.removeprefix("#").strip().partition(" ")
    rest = rest.strip()
    known = {each: each for each in get_args(Order)}
    order: Order | None = known.get(name.lower().replace("_", "-"))
    if order is None:
        offered = ", ".join(f"#{each}" for each in ORDERS)
        raise UnreadableOrderError(f"{line[:60]!r} is none of {offered}")
    if order in ("decide", "ask", "note", "disapprove") and not rest:
        raise UnreadableOrderError(f"#{order} needs more on its line")
    if order == "ask":
        if not orders or orders[-1].order != "decide":
            raise UnreadableOrderError("#ask stands on the line below the #decide that it is for")
        orders[-1] = Ordered(order="decide", text=orders[-1].text, ask=rest)
    else:
        orders.append(Ordered(order=order, text=rest))
