"""Tables of how the installation is set."""

from typing import LiteralString

from stores.held_rules import OURS, Goes, Held, Stays

TABLES_OF_SETTINGS: dict[LiteralString, Held] = {
    "channel_tests": Held(
        erase=Goes(),
        whose="lower(trim(t.address)) = any(%(addresses)s)",
        withheld={
            "a message of staff to try a channel with; where it goes is kept for minutes": "test form channel"
            " address state words asked_by asked_at held_to settled_at"
        },
    ),
    "channel_reports": Held(
        erase=Stays(OURS),
        withheld={OURS: "channel is_on settings told_by told_at sent_at failed_at failed_why"},
    ),
}
