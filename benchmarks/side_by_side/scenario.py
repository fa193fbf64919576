"""What every contender does: the journeys, in words and numbers that none of them owns.

`cart`    somebody puts something into a cart. Wait; whoever has not bought is reminded (message `reminder`). Wait
          again; whoever still has not bought is handed over (message `handover`), and that was it. A purchase ends
          it at any time. `cart-full` lives through both waits; `cart-bought` buys during the first.
`answer`  somebody begins, and waits. When they ask, they are answered (message `answer`), and that was it.
`long`    forty times: somebody steps, and is told so (message `step`). Whoever must begin a new history does so
          three times.
`wave`    somebody begins, and is told (message `due`) at the instant that their first touchpoint names.

What a journey does not know (`Page Viewed`) it ignores: `noise` is fifty of those for one who waits.
A message goes to a channel that takes it at once and keeps nothing but who, what and when (sink.py).
"""

from dataclasses import dataclass

BEGAN = "Began"
BOUGHT = "Order Completed"
ASKED = "Asked"
STEPPED = "Stepped"
IGNORED = "Page Viewed"

NOISE = 50
STEPS = 40
STEPS_A_HISTORY = 10
"""After so many steps of `long` a contender that must begin a new history does so: three times in forty."""

JOURNEYS = ("cart", "answer", "long", "wave")
MESSAGES = ("reminder", "handover", "answer", "step", "due")


@dataclass(slots=True, frozen=True)
class Scenario:
    """How long the waits of `cart` are: seconds, where a shop would say hours."""

    wait_seconds: int = 3
