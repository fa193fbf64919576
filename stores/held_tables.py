"""Every table and column of the schema: what erasing a customer does with it, what an export gives of it.

A table or column that is made later is one more line: a guard reads PostgreSQL's catalogue and
fails for what stands nowhere here. Tables stand in the order in which rows go: what is found
through another table goes before that one.
"""

from typing import LiteralString

from stores.held_bulk import TABLES_OF_BULK
from stores.held_cases import TABLES_OF_CASES, TABLES_OF_STAFF
from stores.held_figures import TABLES_OF_FIGURES
from stores.held_rules import (
    DOOR,
    FIGURE,
    MINE,
    MINE_OR_RUN,
    NOBODY,
    OF_RUN,
    OURS,
    TELLS,
    WHO,
    WORK,
    WROTE,
    Changes,
    Goes,
    Held,
    Stays,
)
from stores.held_searches import TABLES_OF_SEARCHES
from stores.held_settings import TABLES_OF_SETTINGS

_OF_DELIVERY: LiteralString = "(t.customer = any(%(ids)s) or t.delivery = any(%(keys)s))"
_WROTE_TO_US: LiteralString = """(t.customer = any(%(ids)s) or t.delivery = any(%(keys)s)
    or t.entry = any(%(entries)s)
    or t.customer is null and lower(trim(t.address)) = any(%(addresses)s))"""
_CAME: LiteralString = """(t.customer = any(%(ids)s)
    or t.touchpoint = any(%(alone)s) and t.received_at = any(%(alone_at)s::timestamptz[]))"""
_CAME_TO: LiteralString = "(select touchpoint from touchpoints t where " + _CAME + ")"
_MESSAGES: LiteralString = "(select message_id from touchpoints t where " + _CAME + ")"

TABLES: dict[LiteralString, Held] = {
    # -- what they wrote to us, and what was written to them
    "inbound_files": Held(
        erase=Goes(),
        whose=f"t.reply in (select t.reply from inbound_messages t where {_WROTE_TO_US})",
        called="files_written_to_us",
        gives="n name media_type content",
        order="reply, n",
        withheld={TELLS: "reply"},
    ),
    "inbound_messages": Held(
        erase=Goes(),
        whose=_WROTE_TO_US,
        called="written_to_us",
        gives="received_at channel address sent_to subject text whole kind reason",
        order="received_at desc",
        withheld={WHO: "customer", TELLS: "reply delivery entry case"},
    ),
    "inbox_messages": Held(
        erase=Goes(),
        whose=_OF_DELIVERY,
        called="inbox",
        gives="at purpose subject text html link locale read_at archived_at",
        order="message desc",
        withheld={WHO: "customer", TELLS: "message delivery replaced_by", DOOR: "unsubscribe"},
    ),
    "delivery_feedback": Held(
        erase=Goes(),
        whose=_OF_DELIVERY,
        called="became_of_messages",
        gives="at channel kind detail",
        order="at desc",
        withheld={WHO: "customer", TELLS: "event_id delivery"},
    ),
    "short_links": Held(
        erase=Goes(),
        whose=_OF_DELIVERY,
        called="links_in_messages",
        gives="made_at url",
        order="made_at desc",
        withheld={WHO: "customer", TELLS: "delivery", DOOR: "token"},
    ),
    "send_rates": Held(
        erase=Changes({"taken_by": "''"}, "the pace of a provider is of all messages"),
        whose="t.taken_by = any(%(keys)s)",
        withheld={FIGURE: "rate free_at taken_by service_until waiting service_waiting"},
    ),
    # -- the moment
    "suggestions_told": Held(
        erase=Goes(),
        whose=MINE,
        called="suggested",
        gives="at place suggestion told by again_at",
        order="at desc",
        withheld={WHO: "customer", TELLS: "message_id key"},
    ),
    "shows": Held(
        erase=Goes(),
        whose=MINE_OR_RUN,
        called="shown",
        gives='at name places say "values" until shown',
        order="entry desc, n",
        withheld={WHO: "customer", TELLS: "entry n", OURS: "priority sequence"},
    ),
    "feelings": Held(
        erase=Goes(),
        whose=MINE,
        called="feelings",
        gives="at feeling source evidence by fades_at",
        order="at desc",
        withheld={WHO: "customer", TELLS: "reading", OURS: "faded"},
    ),
    "problem_signs": Held(
        erase=Goes(),
        whose=MINE,
        called="signs_of_problems",
        gives="at rule same",
        order="at desc",
        withheld={WHO: "customer", TELLS: "sign"},
    ),
    "problem_touched": Held(
        erase=Goes(),
        whose=MINE,
        called="problems",
        gives="problem how joined_at told_at mended_told_at",
        more={"title": "(select p.title from problems p where p.problem = t.problem)"},
        order="joined_at desc",
        withheld={WHO: "customer", TELLS: "touched run case told_to", OURS: "asked_at"},
    ),
    **TABLES_OF_BULK,
    # -- what they said they want
    "answers": Held(
        erase=Goes(),
        whose=MINE_OR_RUN,
        called="answers",
        gives="at survey score choice words answer_group",
        order="at desc",
        withheld={WHO: "customer", TELLS: "ask entry"},
    ),
    "consents": Held(
        erase=Goes(),
        whose=MINE,
        called="consents",
        gives="at purpose channel given source proof",
        order="consent desc",
        withheld={WHO: "customer", TELLS: "consent"},
    ),
    "unsubscribes": Held(
        erase=Goes(),
        whose=MINE,
        called="unsubscribes",
        gives="at purpose channel proof",
        order="at desc",
        withheld={WHO: "customer"},
    ),
    "preferences": Held(
        erase=Goes(),
        whose=MINE,
        called="wishes",
        gives="preferred_channel channels_off topics_off quiet_from quiet_to paused_until locale changed_at",
        order="changed_at",
        withheld={WHO: "customer"},
    ),
    "conversations": Held(
        erase=Goes(),
        whose=MINE,
        called="conversations",
        gives="channel address heard_at",
        order="heard_at desc",
        withheld={WHO: "customer"},
    ),
    "devices": Held(
        erase=Goes(),
        whose=MINE,
        called="devices",
        gives="channel platform seen_at gone_at",
        order="seen_at desc",
        withheld={WHO: "customer", DOOR: "token keys"},
    ),
    "group_members": Held(
        erase=Goes(),
        whose=MINE,
        called="groups",
        gives="group_id since",
        order="since",
        withheld={WHO: "customer"},
    ),
    "entry_looks": Held(
        erase=Goes(),
        whose=MINE,
        called="looked_at_for",
        gives="journey inside times",
        order="journey",
        withheld={WHO: "customer", OURS: "looked_to look_at"},
    ),
    "computed_traits": Held(
        erase=Goes(),
        whose=MINE,
        called="computed_traits",
        gives="trait state",
        order="trait",
        withheld={WHO: "customer", OURS: "look_at"},
    ),
    # -- what journeys did for them
    **TABLES_OF_CASES,
    "coupon_pool": Held(
        erase=Changes({"coupon": "'erased'"}, "a code that was given stays given; to whom is gone"),
        whose=f"t.coupon in (select key from coupons t where {MINE_OR_RUN})",
        withheld={"given with the coupon that it became": "offer code coupon loaded_at"},
    ),
    "coupons": Held(
        erase=Changes(
            {
                "key": "'erased/' || gen_random_uuid()",
                "customer": "''",
                "entry": "0",
                "reason": "'erased'",
                "run_clock": "null",
                "state": "case when t.state = 'open' then 'voided' else t.state end",
                "settled_at": "coalesce(t.settled_at, now())",
            },
            "a code that was given is never given again, and the figures of the offer stay",
        ),
        whose=MINE_OR_RUN,
        called="coupons",
        gives="granted_at offer code amount state reason expires_at settled_at",
        order="granted_at desc",
        withheld={WHO: "customer", TELLS: "key entry journey", OURS: "run_clock"},
    ),
    "promises": Held(
        erase=Goes(),
        whose=OF_RUN,
        called="promises",
        gives="name by state at reason",
        more={"journey": "(select r.journey from runs r where r.entry = t.entry)"},
        order="entry desc, n",
        withheld={TELLS: "entry n", OURS: "sequence"},
    ),
    "trace": Held(
        erase=Goes(),
        whose=OF_RUN,
        called="decisions",
        gives="at kind why address",
        more={"journey": "(select r.journey from runs r where r.entry = t.entry)"},
        order="entry desc, sequence",
        withheld={TELLS: "entry sequence"},
    ),
    "stays": Held(
        erase=Goes(),
        whose=OF_RUN,
        called="where_they_stood",
        gives="address since until",
        more={"journey": "(select r.journey from runs r where r.entry = t.entry)"},
        order="entry desc, since",
        withheld={TELLS: "entry"},
    ),
    "listening": Held(
        erase=Goes(),
        whose=MINE_OR_RUN,
        called="listened_to",
        gives="kind id",
        order="entry desc",
        withheld={WHO: "customer", TELLS: "entry workflow_id"},
    ),
    "deliveries": Held(
        erase=Goes(),
        whose=MINE_OR_RUN,
        called="messages",
        gives="run_time message channel purpose address state reason words journey topic tried"
        " uncertain expires settled_at sent_subject sent_text",
        more={
            "as_written": "(select m.source from messages m"
            " where m.name = t.message and m.revision = t.revision)"
        },
        order="run_time desc, n desc",
        withheld={
            WHO: "customer",
            TELLS: "key entry n revision provider_id replaces",
            OURS: "attempts doubts claimed_until deferred_until intended_at asked_at priority",
        },
    ),
    "runs": Held(
        erase=Goes(),
        whose=MINE,
        called="journeys",
        gives="entered_at journey key state stage outcome reason detail goal held_out finished_at",
        order="entry desc",
        withheld={
            WHO: "customer",
            TELLS: "entry workflow_id first_run_id entering_message_id gives_way_to",
            OURS: "version engine began_at sequence recorded_at listens_sequence listens_at waits_for stands"
            " wakes_at needs_attention updated_at moved_at holds priority",
        },
    ),
    # -- what happened
    "outbox": Held(
        erase=Goes(),
        whose=f"(t.unit = any(%(units)s) or t.touchpoint in {_CAME_TO})",
        withheld={WORK: "outbox unit touchpoint received_at run number"},
    ),
    "message_ids": Held(
        erase=Goes(),
        whose=f"t.message_id in {_MESSAGES}",
        withheld={"given with their touchpoints": "message_id touchpoint received_at"},
    ),
    "refused_touchpoints": Held(
        erase=Goes(),
        whose=f"(t.message_id in {_MESSAGES} or exists (select from unnest(%(quoted)s::text[]) q"
        " where position(q in lower(t.message)) > 0))",
        called="refused",
        gives="received_at source message_id reason message",
        order="received_at desc",
        withheld={TELLS: "refused"},
    ),
    "touchpoints": Held(
        erase=Goes(),
        whose=_CAME,
        called="touchpoints",
        gives="received_at occurred_at event message_id subject_kind subject_id properties context",
        order="received_at desc, touchpoint desc",
        withheld={WHO: "customer", TELLS: "touchpoint"},
    ),
    "arrivals": Held(
        erase=Goes(),
        whose=MINE,
        called="became_of_touchpoints",
        gives="received_at number fates",
        order="received_at desc, number desc",
        withheld={WHO: "customer", TELLS: "touchpoint"},
    ),
    "routing_units": Held(
        erase=Goes(),
        whose="t.unit = any(%(units)s)",
        withheld={
            WORK: "unit numbered told_up_to leased_by leased_until paced_until starting forward_to joins"
        },
    ),
    # -- who they are
    "refused_ties": Held(
        erase=Goes(),
        whose="(t.whose = any(%(ids)s) or t.leads_to = any(%(ids)s) or exists ("
        "select from identities i where i.customer = any(%(ids)s)"
        " and i.kind = t.kind and i.value = t.value))",
        called="names_not_tied",
        gives="at kind value why times",
        order="at desc",
        withheld={TELLS: "whose leads_to rules"},
    ),
    "merge_rows": Held(
        erase=Goes(),
        whose="t.merge in (select merge from merges"
        " where stays = any(%(ids)s) or goes = any(%(ids)s))",
        withheld={
            "copies of rows that are given, or of somebody else's": 'merge "table" key was made'
        },
    ),
    "merges": Held(
        erase=Goes(),
        whose="(t.stays = any(%(ids)s) or t.goes = any(%(ids)s))",
        called="merges",
        gives="at why undone_at undone_why",
        order="merge desc",
        withheld={
            TELLS: "merge stays goes settled_at",
            "who of staff it was": "by undone_by",
            "given as traits; the other side may be somebody else now": "added before",
        },
    ),
    "suppressed_addresses": Held(
        erase=Goes(),
        whose="lower(trim(t.address)) = any(%(addresses)s)",
        called="addresses_not_written_to",
        gives="at channel address reason marketing_only",
        order="at desc",
    ),
    "trait_types": Held(
        erase=Changes({"example": "null"}, "types are learned from all customers"),
        whose="t.trait = any(%(traits)s) and t.example is not null",
        withheld={FIGURE: "trait seen learned differ example changed_at"},
    ),
    **TABLES_OF_SEARCHES,
    **TABLES_OF_SETTINGS,
    "identities": Held(
        erase=Goes(),
        whose=MINE,
        called="names",
        gives="kind value created_at",
        order="kind, value",
        withheld={WHO: "customer"},
    ),
    "customers": Held(
        erase=Goes(),
        whose=MINE,
        called="known_as",
        gives="customer created_at zone traits",
        order="created_at",
        withheld={TELLS: "merged_into"},
    ),
    "entry_scans": Held(
        erase=Changes({"after": "left(t.after, 4)"}, "how far a look at all customers has come"),
        whose="t.after = any(%(ids)s)",
        withheld={NOBODY: "journey live_since version after occurrence"},
    ),
    "problems": Held(
        erase=Changes(
            {"audience_after": "left(t.audience_after, 4)"}, "a problem is of all whom it touches"
        ),
        whose="t.audience_after = any(%(ids)s)",
        withheld={
            "given with the problems that touch them": "problem title",
            NOBODY: "words why properties state updates audience audience_after subject_kind subject_id"
            " had journey stage queues places rule same settled opened_by opened_at mended_by mended_at",
        },
    ),
    # -- nobody's
    "audit": Held(
        erase=Changes(
            {"detail": "'{}'", "erased_at": "now()"},
            "what staff did is on record for ever, by our ids only; the chain holds without details",
        ),
        whose="""(t.erased_at is null and t.detail <> '{}' and (
            t.object in (select 'customer ' || id from unnest(%(ids)s::text[]) id)
            or t.detail ->> 'customer' = any(%(ids)s) or t.detail ->> 'other' = any(%(ids)s)))""",
        withheld={
            "what staff did": "audit at who did object detail actor ip request before after"
            " detail_digest erased_at"
        },
    ),
    "audit_chain": Held(
        erase=Stays("digests that chain what staff did"), withheld={NOBODY: "n audit hash"}
    ),
    "audit_head": Held(
        erase=Stays("where the chain of the audit ends"), withheld={NOBODY: "one n hash"}
    ),
    "erasures": Held(
        erase=Stays("the proof; whom it was for is kept as keyed hashes once it is done"),
        withheld={
            "made when everything else goes": "erasure state work customers reason asked_by begun_at"
            " done_at swept_by held_by held_until counts figures executions found_runs keys digest"
        },
    ),
    "erased_customers": Held(
        erase=Stays("digests of ids that are nobody's, so that nothing is stored under them again"),
        withheld={NOBODY: "digest erasure"},
    ),
    "erased_addresses": Held(
        erase=Stays("keyed hashes, so that nothing is sent to these addresses again"),
        withheld={NOBODY: "digest erasure at"},
    ),
    "history_keys": Held(
        erase=Stays(
            "the keys are destroyed; that they were stays by our id, so that none is made anew"
        ),
        withheld={DOOR: "owner n wrapped master created_at destroyed_at"},
    ),
    "groups": Held(
        erase=Stays("a group is of all its members; who was one is gone"),
        withheld={NOBODY: "group_id traits changed_at"},
    ),
    "problem_news": Held(
        erase=Stays("told to all whom the problem touches"),
        withheld={NOBODY: "problem n news words by at"},
    ),
    **TABLES_OF_FIGURES,
    "stops": Held(
        erase=Stays("what staff stopped"),
        withheld={NOBODY: "stop scope name reason began_by began_at lifted_by lifted_at"},
    ),
    "definitions": Held(
        erase=Stays(WROTE),
        withheld={WROTE: "version journey canonical source source_name published_at"},
    ),
    "kept_scenarios": Held(erase=Stays(WROTE), withheld={WROTE: "version source kept_at"}),
    "live_journeys": Held(erase=Stays(WROTE), withheld={WROTE: "journey version published_at"}),
    "messages": Held(
        erase=Stays(WROTE), withheld={WROTE: "name revision source published_at live"}
    ),
    "published": Held(
        erase=Stays(WROTE), withheld={WROTE: "kind name revision source published_at live"}
    ),
    "write_keys": Held(
        erase=Stays("keys of programs"),
        withheld={NOBODY: "digest name created_at revoked_at scopes expires_at used_at"},
    ),
    **TABLES_OF_STAFF,
    "staff_tokens": Held(
        erase=Stays("keys of staff"),
        withheld={NOBODY: "digest name role created_at expires_at revoked_at"},
    ),
    "processes": Held(
        erase=Stays(OURS), withheld={OURS: "process kind build engines started_at seen_at"}
    ),
    "engine": Held(erase=Stays(OURS), withheld={OURS: "one_row engine"}),
    "run_sweep": Held(
        erase=Stays(OURS), withheld={OURS: "one next_at after_customer after_entry closed_to"}
    ),
    "alembic_version": Held(erase=Stays(OURS), withheld={OURS: "version_num"}),
}
"""Every table, in the order in which its rows go."""
