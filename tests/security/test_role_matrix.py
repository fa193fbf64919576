"""Every door as everybody: what is not theirs is refused, and what was refused changed nothing."""

import base64
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import pytest_asyncio

from api.doors import DOORS, Door
from channels.customer_links import VALID_DAYS
from console.inbox_door import csrf_of
from journey.staff_roles import READS, ROLES, may
from tests.scorecard import keep
from tests.security.conftest import Doors

BODY_OF: dict[str, Any] = {
    "message": {"event": "Seen", "userId": "anna", "type": "track"},
    "batch": {"batch": [{"type": "track", "event": "Seen", "userId": "anna"}]},
    "device": {"channel": "push", "token": "t-1"},
}
LETS_IN = {"inbound_secret": base64.b64encode(b"clew:inbound-secret-of-the-tests").decode()}
TRIED: Counter[str] = Counter()
WRONG = list[str]()


@dataclass(frozen=True)
class Caller:
    """Somebody who comes to a door. `may`: whether it is theirs; `status`: how they are refused."""

    who: str
    may: bool
    status: tuple[int, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    token: str | None = None
    query: str = ""


@pytest_asyncio.fixture(scope="session")
async def every_route(doors: Doors) -> set[tuple[str, str]]:
    return {
        (method, route.path)
        for route in doors.app.state.doors
        for method in route.methods
        if method != "HEAD" or route.methods == {"HEAD"} or route.path.startswith("/l/")
    }


async def test_every_route_has_a_rule_and_every_rule_a_route(
    every_route: set[tuple[str, str]],
) -> None:
    assert {(door.method, door.path) for door in DOORS} == every_route


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def of_staff(doors: Doors, door: Door) -> Iterator[Caller]:
    strangers = {
        "nobody": {}, "a wrong token": bearer("wrong"), "half a token": bearer(doors.tokens["operator"][:-1]),
        "basic": {"Authorization": f"Basic {base64.b64encode(doors.tokens['operator'].encode()).decode()}"},
        "a link as token": bearer(doors.link("preferences", doors.people["anna"])),
        "an inbox token": bearer(doors.link("inbox", doors.people["anna"])),
        **{who: bearer(doors.tokens[who]) for who in ("revoked", "expired", "write key", "revoked key")},
    }  # fmt: skip
    yield from (Caller(who, False, (401,), told) for who, told in strangers.items())
    for role in ROLES:
        assert door.role is not None
        allowed = may(role, door.role)
        yield Caller(role, allowed, () if allowed else (403,), bearer(doors.tokens[role]))
    yield Caller("installation", True, (), bearer(doors.tokens["installation"]))


def of_keys(doors: Doors, door: Door) -> Iterator[Caller]:
    other = "devices key" if door.proof == "write_key" else "ingest key"
    right = "ingest key" if door.proof == "write_key" else "devices key"
    refused = ("revoked key", "expired key", other, "operator", "installation")
    yield Caller("nobody", False, (401,))
    yield Caller("a wrong key", False, (401,), bearer("wrong"))
    yield Caller("no base64", False, (401,), {"Authorization": "Basic %%"})
    yield from (Caller(who, False, (401,), bearer(doors.tokens[who])) for who in refused)
    yield from (Caller(who, True, (), bearer(doors.tokens[who])) for who in ("write key", right))


KINDS = {"unsubscribe", "survey", "preferences", "data", "person", "status", "inbox"}


def of_links(doors: Doors, door: Door) -> Iterator[Caller]:
    """Links whose token stands in a path, or goes in the body of a form."""
    status = (401,) if door.kind == "inbox" else (404,)
    anna, kind = doors.people["anna"], door.kind
    kinds = KINDS - {kind}
    yield Caller("guessed", False, status, token="x" * 40)
    yield from (
        Caller(f"a link: {k}", False, status, token=doors.link(k, anna)) for k in sorted(kinds)
    )
    if kind == "short":
        yield Caller("guessed", False, status, token="A" * 20)
        return
    right = doors.link(kind, anna)
    for place in (0, len(right) // 2, len(right) - 2):
        letter = "A" if right[place] != "A" else "B"
        yield Caller(
            f"tampered {place}", False, status, token=right[:place] + letter + right[place + 1 :]
        )
    if kind in VALID_DAYS or kind == "inbox":  # by the others one says no, from the oldest mail too
        over = (401,) if kind == "inbox" else (410,)
        yield Caller("expired", False, over, token=doors.link(kind, anna, expired=True))
    if door.changes and kind != "inbox":
        for name, told in {
            "site": {"Sec-Fetch-Site": "cross-site"},
            "origin": {"Origin": "https://evil.example"},
        }.items():
            yield Caller(f"another {name}", False, (403,), told, token=right)
    yield Caller("the customer", True, (), token=right)


def of_inboxes(doors: Doors, door: Door) -> Iterator[Caller]:
    """The token goes in a header, and in no other way."""
    right = doors.link("inbox", doors.people["anna"])
    yield Caller("nobody", False, (401,))
    yield Caller("in the address", False, (401,), query=f"?token={right}&authorization={right}")
    yield Caller("not as bearer", False, (401,), {"Authorization": right})
    yield Caller("staff", False, (401,), bearer(doors.tokens["operator"]))
    for each in of_links(doors, door):
        yield replace(each, headers=bearer(each.token or ""), token=None)


def of_opened(doors: Doors, door: Door) -> Iterator[Caller]:
    """A page opens with the cookie that its own link left in this browser."""
    anna, kind = doors.people["anna"], door.kind
    right = doors.link(kind, anna)
    name, cookie = doors.opened(kind, right)
    called = cookie.partition("=")[0]
    bens = doors.opened(kind, doors.link(kind, doors.people["ben"]))[1]
    others = {
        each: doors.opened(each, doors.link(each, anna))[1]
        for each in sorted(KINDS - {kind, "unsubscribe", "inbox"})
    }
    wrong = {
        "nobody": "",
        "the link itself": f"{called}={right}",
        "half a cookie": cookie[:-2],
        "by another name": cookie.removeprefix("__Host-"),
        "of another customer": bens,
        "of another customer, by this name": f"{called}={bens.partition('=')[2]}",
        "long ago": doors.opened(kind, right, ended=True)[1],
        **{f"of another page: {each}": f"{called}={told.partition('=')[2]}" for each, told in others.items()},
    }  # fmt: skip
    for who, told in wrong.items():
        yield Caller(who, False, (403,), {"Cookie": told}, token=name)
    if kind in VALID_DAYS:
        over, its = doors.opened(kind, doors.link(kind, anna, expired=True))
        yield Caller("expired", False, (410,), {"Cookie": its}, token=over)
    if kind != "survey":
        nobodys, its = doors.opened(kind, doors.link(kind, "no-such-customer"))
        yield Caller("of nobody", False, (404,), {"Cookie": its}, token=nobodys)
        yield Caller("the customer", True, (), {"Cookie": cookie}, token=name)
    if door.changes:
        for site in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
            yield Caller("another site", False, (403,), {"Cookie": cookie, **site}, token=name)


def of_providers(doors: Doors, door: Door) -> Iterator[Caller]:
    del doors
    refused = (400, 401, 403, 404)
    yield Caller("nobody", False, refused)
    yield Caller("a wrong secret", False, refused, {"Authorization": "Basic eDp5"})
    yield Caller("in the address", False, refused, query="?key=inbound-secret-of-the-tests")
    yield Caller("forged", False, refused, {
        "x-twilio-signature": "AAAA", "x-slack-signature": "v0=00", "x-slack-request-timestamp": "1",
        "webhook-id": "1", "webhook-timestamp": "1", "webhook-signature": "v1,AAAA",
    })  # fmt: skip
    if door.proof == "inbound_secret":
        basic = {"Authorization": f"Basic {LETS_IN['inbound_secret']}"}
        yield Caller("the provider", True, (), basic)


def of_sessions(doors: Doors, door: Door) -> Iterator[Caller]:
    """A page of staff leads who only looks to where they sign in, and refuses who sends a form."""
    status = (401,) if door.changes else (303,)
    ends = door.path.endswith("/logout")
    right = doors.tokens["session that ends" if ends else "session"]
    wrong = {
        "nobody": "",
        "a wrong cookie": "x" * 43,
        "half a cookie": right[:-1],
        "whoever left": doors.tokens["session of who left"],
    }
    for who, cookie in wrong.items():
        yield Caller(who, False, status, session(cookie), token=csrf_of(cookie))
    if door.path.startswith("/control"):
        agent = doors.tokens["session of an agent"]
        yield Caller("an agent", False, (403,), session(agent), token=csrf_of(agent))
    yield Caller("a staff token", False, status, bearer(doors.tokens["operator"]))
    if door.changes:
        yield Caller("without the form's own proof", False, (403,), session(right), token="")
        foreign = {**session(right), "Origin": "https://evil.example"}
        yield Caller("another site", False, (403,), foreign, token=csrf_of(right))
    yield Caller("a member", True, (), session(right), token=csrf_of(right))


def session(cookie: str) -> dict[str, str]:
    return {"Cookie": f"__Host-clew-staff={cookie}"}


CALLERS = {
    "session": of_sessions,
    "staff": of_staff, "write_key": of_keys, "devices_key": of_keys, "link": of_links,
    "opened": of_opened, "inbox_token": of_inboxes, "provider": of_providers, "inbound_secret": of_providers,
}  # fmt: skip


def address(doors: Doors, door: Door, caller: Caller, whose: str) -> str:
    values = {
        "identity": whose, "token": caller.token or "x", "page": caller.token or "x",
        "case": "1:1", "journey": "none", "code": "NONE",
        "what": "shown", "problem": "none", "scope": "channel", "name": "fax", "merge": "1", "reply": "r",
        "n": "0", "message": "1", "act": "read", "provider": "own",
        "erasure": "e_none", "member": "nobody", "absence": "1", "customer": "c_none",
        "search": "1", "file": "1",
    }  # fmt: skip
    path = re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: values[found[1]], door.path)
    query = "?by=eva" if door.method == "DELETE" and door.proof == "staff" else ""
    return path + (caller.query or query)


def body(door: Door) -> Any:
    if door.taken in BODY_OF:
        return BODY_OF[door.taken]
    return {name: "channel" if name == "scope" else "fax" for name in door.fields}


async def knock(doors: Doors, door: Door, caller: Caller, whose: str, **extra: Any) -> Any:
    TRIED[door.proof] += 1
    sent: dict[str, Any] = {} if door.changes else {"content": b""}
    if door.taken == "form":
        named = {"session": "csrf", "link": "link"}.get(door.proof)
        proof = {named: caller.token or ""} if named else {}
        sent = {"data": {"days": "7", "words": "hello", **proof, **extra}}
    elif door.taken == "events":
        event = {
            "specversion": "1.0",
            "id": "1",
            "source": "/s",
            "type": "T",
            "subject": "customer:anna",
        }
        sent = {"json": {**event, **extra}}
        caller = Caller(caller.who, caller.may, caller.status,
                        {**caller.headers, "Content-Type": "application/cloudevents+json"})  # fmt: skip
    elif door.changes and door.taken not in ("mail", "report"):
        sent = {"json": {**body(door), **extra}}
    at = address(doors, door, caller, whose)
    doors.client.cookies.clear()  # each comes with what they have, and nothing of who came before
    return await doors.client.request(door.method, at, headers=dict(caller.headers), **sent)


GUARDED = [door for door in DOORS if door.proof in CALLERS]
NAMES = [f"{door.method} {door.path}" for door in GUARDED]


@pytest.mark.parametrize("door", GUARDED, ids=NAMES)
async def test_whoever_may_not_is_refused_and_changes_nothing(doors: Doors, door: Door) -> None:
    wrong = list[str]()
    before = await doors.held()
    for caller in CALLERS[door.proof](doors, door):
        for whose in ("anna", "ben", "nobody-known") if "{identity" in door.path else ("anna",):
            if caller.may:
                continue
            answer = await knock(doors, door, caller, whose)
            if answer.status_code not in caller.status:
                wrong.append(f"{caller.who}: {answer.status_code} {answer.text[:120]}")
    WRONG.extend(f"{door.method} {door.path}: {each}" for each in wrong)
    assert wrong == []
    assert await doors.held() == before


@pytest.mark.parametrize("door", GUARDED, ids=NAMES)
async def test_whoever_may_comes_in_and_a_get_changes_nothing(doors: Doors, door: Door) -> None:
    if door.path.endswith(("/stream", "/events")) and door.method == "GET":
        return  # it ends when the listener leaves; who may listen is seen above
    before = await doors.held()
    for caller in CALLERS[door.proof](doors, door):
        if caller.may:
            # Whoever is erased is nobody for the tests after this one.
            whose = "carl" if door.path.endswith("{identity}/erase") else "anna"
            answer = await knock(doors, door, caller, whose)
            if answer.status_code in (401, 403, 500, 503):
                WRONG.append(f"{door.method} {door.path}: {caller.who} {answer.status_code}")
            assert answer.status_code not in (401, 403, 500, 503), (caller.who, answer.text)
    if door.method in READS:
        assert await doors.held() == before


@pytest.mark.parametrize(
    "door", [d for d in GUARDED if d.fields], ids=lambda d: f"{d.method} {d.path}"
)
async def test_what_is_not_asked_for_is_not_taken(doors: Doors, door: Door) -> None:
    before = await doors.held()
    operator = Caller("operator", True, (), bearer(doors.tokens["operator"]))
    for name in ("state", "customer_id", "role", "actor", "opened_by", "__proto__"):
        answer = await knock(doors, door, operator, "anna", **{name: "x"})
        assert answer.status_code in (400, 404), (name, answer.text)
    assert await doors.held() == before


@pytest.mark.parametrize("kind", ["preferences", "data", "person"])
async def test_a_link_shows_its_own_customer_and_no_other(doors: Doors, kind: str) -> None:
    path = {"preferences": "p", "data": "d", "person": "t"}[kind]
    for whose, other in (("anna", "ben"), ("ben", "anna")):
        token = doors.link(kind, doors.people[whose])
        opened = await doors.client.post(f"/{path}", data={"link": token})
        at = opened.headers["location"]
        page = await doors.client.get(f"{at}?customer={doors.people[other]}")
        assert page.status_code == 200
        assert f"{other}@shop.example" not in page.text
        assert doors.people[other] not in page.text


def test_of_every_door_of_staff_that_changes_something_the_audit_is_said() -> None:
    unsaid = [d.path for d in DOORS if d.proof == "staff" and d.changes and not d.audited]
    assert unsaid == []


def test_the_matrix_is_whole() -> None:
    tried = sum(TRIED.values())
    if tried:  # by itself, without the doors above, it has nothing to say
        assert WRONG == []
    keep(
        "R13",
        {
            "routes": len(DOORS),
            "guarded": len(GUARDED),
            "roles": len(ROLES) + 12,
            "tried": tried,
            "wrong": len(WRONG),
        },
        met=not WRONG,
    )
