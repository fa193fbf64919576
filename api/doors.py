"""Every door of the API, what opens it and what goes through: one table.

The OpenAPI document is made of it, and so is the test of who may what. A route that is not here, or a
line here that is no route, fails the tests.
"""

# ruff: noqa: E501 -- a table: one line each

from dataclasses import dataclass
from typing import Literal

from journey.staff_roles import Role

Proof = Literal[
    "none", "write_key", "devices_key", "staff", "link", "opened", "inbox_token", "provider", "inbound_secret",
    "session",
]  # fmt: skip
"""What a caller must have. `link`: a link's token, signed or long enough not to be guessed. It comes in the body
of a form; in the path stand only those that unsubscribe, as RFC 8058 asks, and those that lead on to
addresses of others. `opened`: the cookie that such a form left, for one page. `session`: the cookie of a member who is signed in; who may what there is said by their role and queues."""

Taken = Literal["", "message", "batch", "events", "device", "form", "mail", "report"]
"""What the body is; for staff, the names of fields stand in `fields`."""


@dataclass(slots=True, frozen=True, kw_only=True)
class Door:
    """One method of one path. `kind`: of which kind a link must be. `optional`: fields that may be left out."""

    method: str
    path: str
    says: str
    proof: Proof
    role: Role | None = None
    kind: str = ""
    taken: Taken = ""
    fields: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    query: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    answers: tuple[int, ...] = (200,)
    page: bool = False
    audited: str = ""
    """What the audit has of it; of a door of staff that changes something and is not audited, why not."""

    @property
    def changes(self) -> bool:
        """Whether it may change anything: what is read by GET never does, a counted click apart."""
        return self.method not in ("GET", "HEAD")


def _ingest() -> list[Door]:
    kinds = ("track", "identify", "page", "screen", "group", "alias")
    says = "Take one message of Segment's: "
    single = [
        Door(
            method="POST", path=f"/v1/{kind}", says=says + kind, proof="write_key", taken="message"
        )
        for kind in kinds
    ]
    return [
        Door(
            method="POST", path="/v1/batch", says="Take a batch of Segment's messages",
            proof="write_key", taken="batch",
        ),
        *single,
        Door(
            method="POST", path="/events", says="Take CloudEvents, one or several",
            proof="write_key", taken="events",
        ),
    ]  # fmt: skip


_DEVICES = "/v1/customers/{identity}/devices"


def _inbox(method: str, path: str, says: str, query: tuple[str, ...] = ()) -> Door:
    return Door(method=method, path=path, says=says, proof="inbox_token", kind="inbox", query=query)


def _apps() -> list[Door]:
    return [
        Door(method="PUT", path=_DEVICES, says="A device of a customer was seen", proof="devices_key", taken="device"),
        Door(method="DELETE", path=_DEVICES, says="Forget a device of a customer", proof="devices_key", taken="device"),
        Door(method="GET", path="/v1/webpush/key", says="What browsers subscribe with", proof="none"),
        _inbox("GET", "/inbox", "The messages of an inbox", ("before", "most", "archived")),
        _inbox("GET", "/inbox/unread", "How many messages are unread"),
        _inbox("GET", "/inbox/stream", "Messages as they come"),
        _inbox("POST", "/inbox/{message}/{act}", "What the customer does with a message"),
        *(
            Door(method="OPTIONS", path=path, says="Which headers a page elsewhere may send", proof="none", answers=(204,))
            for path in ("/inbox", "/inbox/unread", "/inbox/stream", "/inbox/{message}/{act}")
        ),
    ]  # fmt: skip


def _staff(
    method: str,
    path: str,
    says: str,
    role: Role = "viewer",
    *,
    taken: Taken = "",
    fields: tuple[str, ...] = (),
    optional: tuple[str, ...] = (),
    query: tuple[str, ...] = (),
    headers: tuple[str, ...] = (),
    answers: tuple[int, ...] = (200,),
    audited: str = "",
) -> Door:
    return Door(
        method=method, path=path, says=says, proof="staff", role=role, taken=taken, fields=fields,
        optional=optional, query=query, headers=headers, answers=answers, audited=audited,
    )  # fmt: skip


_CUSTOMER = "/v1/customers/{identity}"
_OPENED = ("problem", "title", "why", "by")
_MAY_SAY = ("words", "customers", "where", "subject", "journey", "stage", "queues", "say_at", "properties")  # fmt: skip


_CASE = "/v1/cases/{case:path}"
_MEMBER = "/v1/members/{member}"
_MAY_BE = ("queues", "skills", "languages", "capacity", "grants", "zone", "shift", "email", "subject", "slack")  # fmt: skip


def _act(
    name: str,
    says: str,
    role: Role,
    fields: tuple[str, ...],
    audited: str,
    *,
    optional: tuple[str, ...] = (),
    answers: tuple[int, ...] = (200,),
) -> Door:
    return _staff(
        "POST",
        f"{_CASE}/{name}",
        says,
        role,
        fields=fields,
        optional=optional,
        answers=answers,
        audited=audited,
    )


def _of_cases() -> list[Door]:
    return [
        _staff("GET", "/v1/cases", "The cases of staff, a page at a time", headers=("X-Customer",), query=("state", "queue", "assignee", "customer", "place", "overdue", "most", "after")),
        _staff("POST", "/v1/cases", "Open a case for a customer, or find the one under way in this queue", "agent", fields=("customer", "queue", "brief", "by"), optional=("title", "place", "origin", "decisions"), answers=(200, 201), audited="opened"),
        _act("claim", "Take a case on", "agent", ("by",), "claimed"),
        _act("let-go", "Put a case back into its queue", "agent", ("by",), "let go", optional=("why",)),
        _act("hand-over", "Pass a case on, to a queue or to somebody", "agent", ("by", "note"), "handed over", optional=("queue", "to")),
        _act("snooze", "Put a case off until a moment or a touchpoint", "agent", ("by",), "snoozed", optional=("until", "event")),
        _act("wait-for-customer", "The customer is to answer", "agent", ("by",), "waits for the customer"),
        _act("go-on", "Take up again what was put off", "agent", ("by",), "went on"),
        _act("note", "Write something down for whoever works on it", "agent", ("by", "text"), "noted"),
        _act("verify", "Whoever the case came from proved to be the customer", "agent", ("by", "how"), "verified"),
        _act("decide", "Decide a case, or ask for what is above authority", "agent", ("decision", "by"), "decided", optional=("fields", "ask", "note", "feeling", "lacked"), answers=(200, 202)),
        _act("approve", "Let a decision that was asked for be taken", "lead", ("by",), "approved", optional=("why",)),
        _act("disapprove", "Refuse a decision that was asked for", "lead", ("by", "why"), "disapproved"),
        _act("reopen", "Open a case again that is over", "agent", ("by", "why"), "reopened"),
        _act("merge", "Close a case that is about the same as another", "agent", ("by", "into"), "took in"),
        _staff("GET", f"{_CASE}/brief", "What must be known of a case, in one look", "agent", query=("member",)),
        _staff("GET", _CASE, "One case, and what happened to it", query=("most", "before")),
    ]  # fmt: skip


def _of_members() -> list[Door]:
    return [
        _staff("GET", "/v1/members", "Who works here", query=("queue", "most", "after")),
        _staff("GET", _MEMBER, "One member of staff, and their absences"),
        _staff("PUT", _MEMBER, "Add a member of staff, or change one", "operator", fields=("name", "role", "by"), optional=_MAY_BE, audited="set"),
        _staff("DELETE", _MEMBER, "They work here no more", "operator", query=("by",), answers=(204,), audited="let go"),
        _staff("POST", f"{_MEMBER}/absences", "They are away", "operator", fields=("since", "until", "by"), optional=("why",), answers=(201,), audited="noted absent"),
        _staff("DELETE", f"{_MEMBER}/absences/{{absence:int}}", "They are not away after all", "operator", query=("by",), answers=(204,), audited="noted back"),
        _staff("GET", "/v1/queues", "The queues of staff, and how they stand"),
    ]  # fmt: skip


def _of_staff() -> list[Door]:
    return [
        *_of_cases(),
        *_of_members(),
        _staff("GET", "/v1/cases/{case:path}/messages", "What staff wrote to the customer from a case"),
        _staff("POST", "/v1/cases/{case:path}/messages", "Write to the customer; it leaves in ten seconds", "agent", fields=("by",), optional=("text", "subject", "template", "values", "channel", "files", "once"), answers=(201,), audited="wrote to the customer"),
        _staff("POST", "/v1/cases/{case:path}/messages/{message}/undo", "Undo a message that has not left", "agent", fields=("by",), audited="undid a message"),
        _staff("POST", "/v1/cases/{case:path}/answered", "The customer was answered in public", "agent", fields=("by", "link"), optional=("words",), audited="answered in public"),
        _staff("POST", "/v1/mentions", "Somebody spoke of us in public", "agent", fields=("network", "handle", "link", "text", "queue"), optional=("language",), answers=(200, 201), audited="told of a mention"),
        _staff("POST", "/v1/journeys/{journey}/enter", "Ask that a customer enter a journey", "lead", fields=("customer",), optional=("properties", "message_id"), answers=(202,), audited="asked to enter"),
        _staff("GET", "/v1/offers", "What a coupon is worth", headers=("X-Offer-Code",)),
        _staff("GET", f"{_CUSTOMER}/now", "The moment of a customer", query=("place",)),
        _staff("POST", f"{_CUSTOMER}/now/{{what}}", "What became of a suggestion", "agent", fields=("suggestion",), optional=("place", "message_id", "by", "again_after"), audited="taken or refused; not what was only shown: a page tells it each time"),
        _staff("GET", f"{_CUSTOMER}/feeling", "What a customer feels"),
        _staff("POST", f"{_CUSTOMER}/feeling", "Staff saw what a customer feels", "agent", fields=("feeling", "why", "by"), optional=("for",), audited="read a feeling"),
        _staff("POST", f"{_CUSTOMER}/feeling/over", "What a customer feels is over", "agent", fields=("why", "by"), audited="ended what is felt"),
        _staff("GET", "/v1/problems", "Problems", query=("state",)),
        _staff("POST", "/v1/problems", "Open a problem", "lead", fields=_OPENED, optional=_MAY_SAY, answers=(201,), audited="opened"),
        _staff("GET", "/v1/problems/{problem}", "One problem"),
        _staff("POST", "/v1/problems/{problem}/update", "News of a problem", "lead", fields=("words", "by"), optional=("properties",), audited="updated"),
        _staff("POST", "/v1/problems/{problem}/mend", "A problem is mended", "lead", fields=("by",), optional=("words",), audited="mended"),
        _staff("POST", "/v1/problems/{problem}/reopen", "It was not mended after all", "lead", fields=("words", "by"), audited="reopened"),
        _staff("POST", "/v1/problems/{problem}/link", "It touches a customer too", "agent", fields=("by",), optional=("customer", "case"), audited="linked"),
        _staff("POST", "/v1/problems/{problem}/answer", "One answer for all cases of a problem", "lead", fields=("decisions", "by"), optional=("fields", "note"), audited="answered"),
        _staff("GET", "/v1/staff/figures", "How work goes for staff", "viewer", query=("queue", "since")),
        _staff("GET", "/v1/stops", "What is stopped"),
        _staff("POST", "/v1/stops", "Stop sending", "operator", fields=("scope", "reason", "by"), optional=("name",), answers=(200, 201), audited="stopped"),
        _staff("DELETE", "/v1/stops/{scope}", "Let it send again", "operator", query=("by",), answers=(204,), audited="resumed"),
        _staff("DELETE", "/v1/stops/{scope}/{name}", "Let it send again", "operator", query=("by",), answers=(204,), audited="resumed"),
        _staff("POST", "/v1/merges", "Two customers are one", "lead", fields=("one", "other", "by", "why"), answers=(201,), audited="merged"),
        _staff("POST", "/v1/merges/{merge}/undo", "They are two after all", "lead", fields=("by", "why"), audited="parted"),
        _staff("GET", f"{_CUSTOMER}/merges", "Who became this customer"),
        _staff("POST", f"{_CUSTOMER}/erase", "Erase a customer for good", "operator", fields=("by",), optional=("reason", "dry_run"), answers=(200, 202), audited="began to erase"),
        _staff("GET", "/v1/erasures/{erasure}", "How far an erasure is, and its proof"),
        _staff("POST", f"{_CUSTOMER}/inbox-token", "A token for a customer's inbox", "agent", answers=(201,), audited="not: it changes nothing, and is made at each login of a customer"),
        _staff("GET", "/v1/customers/{identity:path}/conversation", "What was said both ways", query=("most",)),
        _staff("GET", "/v1/inbound/strangers", "What nobody we know wrote", query=("most",)),
        _staff("GET", "/v1/inbound/{reply}/files/{n:int}", "A file of a message"),
        _staff("POST", "/inbound/mail", "Take a mail as it is", "agent", taken="mail", headers=("X-Envelope-To", "X-Envelope-From"), audited="handed in a mail"),
    ]  # fmt: skip


def _pages() -> list[Door]:
    clicked = [
        ("GET", "/u/{token}", "unsubscribe"), ("POST", "/u/{token}", "unsubscribe"),
        ("POST", "/u/{token}/undo", "unsubscribe"), ("POST", "/u/{token}/less", "unsubscribe"),
    ]  # fmt: skip
    opened = [
        ("GET", "/s/{page}", "survey"), ("POST", "/s/{page}", "survey"),
        ("GET", "/p/{page}", "preferences"), ("POST", "/p/{page}", "preferences"),
        ("GET", "/d/{page}", "data"), ("POST", "/d/{page}/correct", "data"),
        ("POST", "/d/{page}/export", "data"), ("POST", "/d/{page}/erase", "data"),
        ("GET", "/t/{page}", "person"), ("POST", "/t/{page}", "person"),
        ("GET", "/w/{page}", "status"), ("GET", "/w/{page}/events", "status"),
    ]  # fmt: skip
    kinds = {path.split("/")[1]: kind for _, path, kind in opened}
    proved: list[tuple[str, str, str, Proof]] = [
        *((*each, "link") for each in clicked), *((*each, "opened") for each in opened)
    ]  # fmt: skip
    return [
        Door(method="GET", path=f"/{path}", says=f"Where a link is opened: {kind}", proof="none", page=True)
        for path, kind in kinds.items()
    ] + [
        Door(method="POST", path=f"/{path}", says=f"A link is opened: {kind}", proof="link", kind=kind, page=True, taken="form", answers=(303,))
        for path, kind in kinds.items()
    ] + [
        Door(
            method=method, path=path, says=f"A customer's own page: {kind}", proof=proof, kind=kind,
            page=True, taken="form" if method == "POST" else "",
            # What was done with one's data is shown by the page itself, which may be read again.
            answers=(200, 303) if method == "POST" and kind == "data" else (200,),
        )
        for method, path, kind, proof in proved
    ] + [
        Door(method=method, path="/l/{token}", says="A counted link leads on", proof="link", kind="short", page=True, answers=(302,))
        for method in ("GET", "HEAD")
    ] + [
        Door(method="GET", path="/pages/status.js", says="The script of the status page", proof="none"),
        Door(method="GET", path="/pages/open.js", says="The script that opens links", proof="none"),
    ]  # fmt: skip


def _page_of_staff(
    method: str,
    path: str,
    says: str,
    proof: Proof = "session",
    audited: str = "",
    answers: tuple[int, ...] = (200, 303),
) -> Door:
    # Whoever is not signed in is led to where they do.
    taken: Taken = "form" if method == "POST" else ""
    return Door(
        method=method,
        path=path,
        says=says,
        proof=proof,
        page=True,
        taken=taken,
        audited=audited,
        answers=answers,
    )


def _staff_pages() -> list[Door]:
    page = _page_of_staff
    return [
        page("GET", "/staff", "The inbox: cases of a member of staff"),
        page("GET", "/staff/login", "Where staff sign in", "none", answers=(200,)),
        page("POST", "/staff/login", "A member signs in", "none", "signed in", (303,)),
        page("GET", "/staff/login/code", "Where who knew the password shows the second factor", "none"),
        page("POST", "/staff/login/code", "A member shows the second factor", "none", "signed in, and by what; a second factor that was set"),
        page("GET", "/staff/openid", "Off to the OpenID provider", "none", answers=(303,)),
        page("GET", "/staff/openid/answer", "Back from the OpenID provider", "none", answers=(303,)),
        page("POST", "/staff/logout", "A member signs out", audited="signed out", answers=(303,)),
        page("POST", "/staff/search", "Look for cases", audited="not: it changes nothing", answers=(303,)),
        page("GET", "/staff/sessions", "Where a member is signed in, and their second factor"),
        page("POST", "/staff/sessions/{act}", "A member proves themselves again, ends sessions, changes password or second factor", audited="ended a session, a password or second factor that was set; not what was proved: it ends in five minutes"),
        page("GET", "/staff/histories", "On to the page of sealed histories"),
        page("POST", "/staff/views", "Keep a list of cases", audited="kept a view", answers=(303,)),
        page("GET", "/staff/replies", "What staff say often"),
        page("POST", "/staff/replies", "Keep a text", audited="kept a text", answers=(303,)),
        page("GET", "/staff/new", "Somebody calls: a case for them"),
        page("POST", "/staff/new", "Open a case", audited="opened", answers=(303,)),
        page("GET", "/staff/figures", "How work goes for staff"),
        page("GET", "/staff/problems", "Problems, for staff"),
        page("GET", "/staff/problems/{problem}", "One problem, for staff"),
        page("POST", "/staff/problems/{problem}/{act}", "News of a problem, or one answer for its cases", audited="what was done", answers=(200, 303)),
        page("GET", "/staff/events", "That something changed, as it does"),
        page("GET", "/staff/case/{case:path}", "One case"),
        page("GET", "/staff/case/{case:path}/file", "A file of the thread"),
        page("POST", "/staff/case/{case:path}/{act}", "What a member does with a case", audited="what was done", answers=(204, 303)),
        Door(method="GET", path="/staff/static/{file}", says="The style and the scripts of the inbox", proof="none"),
    ]  # fmt: skip


def _control_pages() -> list[Door]:
    page = _page_of_staff
    return [
        page("GET", "/control", "Mission control: all journeys"),
        page("GET", "/control/events", "That figures changed, as they do"),
        page("GET", "/control/journey/{journey}", "A journey with its figures"),
        page("GET", "/control/journey/{journey}/people", "Who stands where in a journey"),
        page("GET", "/control/journey/{journey}/source", "The source of a journey"),
        page("POST", "/control/journey/{journey}/source", "Check a source, or publish it", audited="published; not what was only checked", answers=(200, 303)),
        page("GET", "/control/journey/{journey}/bulk", "What acting on all at a step would do"),
        page("POST", "/control/journey/{journey}/bulk", "Order it", audited="ordered", answers=(303,)),
        page("GET", "/control/journey/{journey}/bulk/{act}", "How far such an act is"),
        page("POST", "/control/journey/{journey}/bulk/{act}/halt", "Halt it", audited="halted", answers=(303,)),
        page("GET", "/control/customer", "Where a customer is looked for"),
        page("POST", "/control/customer", "Find a customer by any identity", answers=(303,)),
        page("GET", "/control/customer/{customer}", "A customer on one line of time"),
        page("GET", "/control/stops", "What is stopped"),
        page("POST", "/control/stops", "Stop a journey, a channel or everything", audited="stopped", answers=(303,)),
        page("POST", "/control/stops/lift", "Let it send again", audited="resumed", answers=(303,)),
        page("GET", "/control/deliveries", "What was told to customers, and what came of it"),
        page("GET", "/control/deliveries/list", "The messages behind a number of it"),
        page("GET", "/control/messages", "The messages that are live"),
        page("GET", "/control/message/{name}", "A message as a customer reads it"),
        page("POST", "/control/message/{name}", "With other values, for another customer", audited="not: it changes nothing", answers=(303,)),
        page("GET", "/control/message/{name}/mail", "The markup of a mail, for its frame"),
        page("GET", "/control/search", "Search of people: by what is known of them, and where they stand"),
        page("POST", "/control/search", "Search for what was filled in", audited="not: it changes nothing", answers=(303,)),
        page("POST", "/control/search/file", "What is found, as a file", audited="exported, of what, how many rows", answers=(200,)),
        page("POST", "/control/search/saved", "Keep a search, with a file on time", audited="kept a search", answers=(303,)),
        page("POST", "/control/search/saved/{search}/end", "Keep a search no more", audited="ended a search", answers=(303,)),
        page("POST", "/control/search/files/{file}", "A file that was made on time", audited="downloaded a file", answers=(200,)),
        page("GET", "/control/surveys", "What customers answered, survey by survey"),
        page("GET", "/control/survey/{name}", "One survey: its figure, scores, weeks, journeys and words"),
        page("GET", "/control/promises", "Promises: kept, late, broken, and who still waits"),
        page("GET", "/control/offers", "Coupons by offer, and what their pools have left"),
        page("GET", "/control/settings", "Channels: how each is set, never a secret, and how it does"),
        page("POST", "/control/settings", "Try a channel: one message to an address", audited="asked for a test, of which channel, not where it goes", answers=(303,)),
        page("GET", "/control/settings/queues", "Queues, members and roles as they are live"),
        page("GET", "/control/settings/limits", "Consent, caps, quiet hours and rates as they are live"),
        page("GET", "/control/settings/keys", "Write keys of sources, never themselves"),
        page("POST", "/control/settings/keys", "Make a write key, which is shown once", audited="made a write key", answers=(200,)),
        page("POST", "/control/settings/keys/revoke", "Accept no key of this name any more", audited="revoked", answers=(303,)),
        Door(method="GET", path="/control/static/{file}", says="The style and the scripts of mission control", proof="none"),
    ]  # fmt: skip


def _inbound() -> list[Door]:
    secret, signed = ("postmark", "sendgrid"), ("twilio", "slack", "ses")
    return [
        Door(method="POST", path="/feedback/{provider}", says="What a provider reports", proof="provider", taken="report"),
        *(Door(method="POST", path=f"/inbound/{name}", says="What a customer wrote", proof="inbound_secret", taken="report") for name in secret),
        *(Door(method="POST", path=f"/inbound/{name}", says="What a customer wrote", proof="provider", kind=name, taken="report") for name in signed),
        Door(method="POST", path="/slack/cases", says="What staff do with a case in Slack", proof="provider", kind="slack", taken="form", audited="claimed, decided or asked for, by whom"),
    ]  # fmt: skip


def _process() -> list[Door]:
    says = {"/healthz": "Whether it lives", "/readyz": "Whether it can work", "/openapi.json": "This document"}  # fmt: skip
    return [
        Door(method="GET", path=path, says=words, proof="none", answers=(200, 503) if path == "/readyz" else (200,))
        for path, words in says.items()
    ]  # fmt: skip


DOORS: tuple[Door, ...] = (
    *_ingest(), *_apps(), *_of_staff(), *_pages(), *_staff_pages(), *_control_pages(), *_inbound(), *_process()
)  # fmt: skip
