"""What erasing a customer does with cases, and with what we know of staff."""

from typing import LiteralString

from stores.held_rules import MINE_OR_RUN, NOBODY, OURS, TELLS, WHO, WROTE, Goes, Held, Stays

_OF_CASE: LiteralString = f't."case" in (select t."case" from cases t where {MINE_OR_RUN})'
STAFF = "who of staff it was"

_OF_MESSAGE: LiteralString = (
    f"t.message in (select t.message from case_messages t where {_OF_CASE})"
)

TABLES_OF_CASES: dict[LiteralString, Held] = {
    "case_message_files": Held(
        erase=Goes(),
        whose=_OF_MESSAGE,
        called="files_from_staff",
        gives="n name media_type content",
        order="message, n",
        withheld={TELLS: "message"},
    ),
    "case_messages": Held(
        erase=Goes(),
        whose=_OF_CASE,
        called="written_by_staff",
        gives='written_at channel template "values" subject text state went_by reason words settled_at',
        order="message",
        withheld={TELLS: "message case once delivery", OURS: "due_at", STAFF: "by"},
    ),
    "case_mentions": Held(
        erase=Goes(),
        whose=_OF_CASE,
        called="said_in_public",
        gives="at network link text",
        order="at",
        withheld={TELLS: "asked case"},
    ),
    "case_bells": Held(erase=Goes(), whose=_OF_CASE, withheld={OURS: "case rung_at held_to"}),
    "case_events": Held(
        erase=Goes(),
        whose=_OF_CASE,
        called="what_happened_to_cases",
        gives="at did why detail",
        order="event",
        withheld={TELLS: "event case", OURS: "at_wall", STAFF: "who"},
    ),
    "shown_cases": Held(
        erase=Goes(),
        whose=_OF_CASE,
        withheld={TELLS: "case outside_id", OURS: "desk taken"},
    ),
    "staff_mails": Held(
        erase=Goes(),
        whose=_OF_CASE,
        withheld={
            OURS: "mail about kind words state attempts next_at held_to why made_at",
            TELLS: "case",
            STAFF: "member",
        },
    ),
    "staff_replies": Held(
        erase=Goes(),
        whose=_OF_CASE,
        withheld={OURS: "reply done at", TELLS: "case", STAFF: "member"},
    ),
    "case_writers": Held(erase=Goes(), whose=_OF_CASE, withheld={OURS: "case at", STAFF: "member"}),
    "cases": Held(
        erase=Goes(),
        whose=MINE_OR_RUN,
        called="cases",
        gives="opened_at journey queue brief state decision fields reason first_answer_by resolve_by"
        " answered_at resolved_at title place language next_answer_by waits_since reopened_at"
        " snoozed_until words",
        order="opened_wall desc",
        withheld={
            WHO: "customer",
            TELLS: "case entry n workflow_id asked clock merged_into",
            OURS: "escalations opened_wall run_clock origin skills first_answer next_answer resolve"
            " escalate_to fixed expires queued_at pauses snoozed_for acted_at marks approval under_way look_at due_at",
            WROTE: "decisions",
            STAFF: "claimed_by decided_by had_by",
        },
    ),
}
"""Cases, and what is found through them before."""

TABLES_OF_STAFF: dict[LiteralString, Held] = {
    "members": Held(
        erase=Stays("staff, not customers"),
        withheld={
            NOBODY: "member name role queues skills languages capacity grants zone shift email"
            " subject slack password created_at left_at"
        },
    ),
    "absences": Held(
        erase=Stays("staff, not customers"), withheld={NOBODY: "absence member since until why"}
    ),
    "case_hooks": Held(
        erase=Stays("programs outside, not customers"),
        withheld={
            NOBODY: "hook url master secret kinds told_to told_at failures failing_since failed_why"
            " next_at held_to off_at made_at"
        },
    ),
    "queue_turns": Held(
        erase=Stays("staff, not customers"), withheld={NOBODY: "queue member turned_at"}
    ),
    "staff_sessions": Held(
        erase=Stays("staff, not customers"),
        withheld={
            NOBODY: "digest member created_at used_at expires_at session place how address browser proved_at"
        },
    ),
    "second_factors": Held(
        erase=Stays("staff, not customers"),
        withheld={NOBODY: "member state master secret last_step made_at"},
    ),
    "recovery_codes": Held(erase=Stays("staff, not customers"), withheld={NOBODY: "digest member"}),
    "half_sign_ins": Held(
        erase=Stays("staff, not customers"), withheld={NOBODY: "digest member leads_to expires_at"}
    ),
    "staff_passages": Held(
        erase=Stays("staff, not customers"), withheld={NOBODY: "digest member how expires_at"}
    ),
    "sign_in_tries": Held(
        erase=Stays("staff, not customers"), withheld={NOBODY: "whose tries since"}
    ),
    "openid_logins": Held(
        erase=Stays("staff, not customers"),
        withheld={NOBODY: "digest nonce verifier leads_to expires_at again began_at"},
    ),
    "inbox_views": Held(
        erase=Stays("staff, not customers"), withheld={NOBODY: "view member name filters"}
    ),
    "outside_desks": Held(
        erase=Stays("how far desks outside are"),
        withheld={NOBODY: "desk told_to asked_to asked_at failures failed_why next_at held_to"},
    ),
    "staff_mail_cursor": Held(erase=Stays("how far we are"), withheld={NOBODY: "one told_to"}),
    "slack_requests": Held(
        erase=Stays("signatures of Slack's, kept for minutes"), withheld={NOBODY: "digest at"}
    ),
    "canned_replies": Held(
        erase=Stays("what staff say to anybody"), withheld={NOBODY: "reply member name text act"}
    ),
}
