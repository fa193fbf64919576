"""What becomes of a message after it left, as touchpoints that a journey can wait for.

Properties of each: `delivery` (its key in the ledger), `message`, `channel`, `journey`, and `run`
(the workflow id). `Message Bounced` adds `reason` and `hard` (no later message would get through
either), `Message Opened` and `Message Clicked` `machine` (the provider says that a program did it),
`Message Clicked` `url`, `Message Replied` `text`, `subject` and `reply` (its id).
"""

DELIVERED = "Message Delivered"
OPENED = "Message Opened"
CLICKED = "Message Clicked"
BOUNCED = "Message Bounced"
COMPLAINED = "Message Complained"
UNSUBSCRIBED = "Message Unsubscribed"
REPLIED = "Message Replied"
"""A customer wrote to us, in answer to a message or of their own accord (then without `delivery`)."""

MESSAGE_EVENTS = frozenset({DELIVERED, OPENED, CLICKED, BOUNCED, COMPLAINED, UNSUBSCRIBED, REPLIED})
"""Made by us from what providers report; nobody outside describes them, every journey may name them."""
