"""Staff who signed in at a page, until they sign out or go away."""

from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response

from api.staff_sessions import IDLE, LONGEST, MOST, StaffSessions


class Desk:
    """A page of staff, and a browser that keeps the cookies it is given."""

    def __init__(self, *, https: bool = True) -> None:
        self.now = datetime(2026, 3, 1, 8, tzinfo=UTC)
        self.sessions = StaffSessions("clew-history", https=https, wall_clock=lambda: self.now)
        self.cookie = ""
        self.attributes = ""

    def request(self, cookie: str | None = None) -> Request:
        sent = self.cookie if cookie is None else cookie
        return Request({"type": "http", "headers": [(b"cookie", sent.encode())]})

    def sign_in(self) -> str:
        answer = Response()
        self.sessions.begin(self.request(), answer, "eva")
        self.cookie, _, self.attributes = answer.headers.getlist("set-cookie")[-1].partition(";")
        return self.cookie

    def known(self, cookie: str | None = None) -> bool:
        return self.sessions.known(self.request(cookie)) == "eva"


def test_who_signs_in_is_known_until_they_sign_out() -> None:
    desk = Desk()
    assert not desk.known()
    kept = desk.sign_in()
    assert desk.known()

    desk.sessions.end(desk.request(), Response())
    assert not desk.known(kept)


def test_who_signs_in_again_has_a_new_session_and_the_old_one_is_over() -> None:
    desk = Desk()
    before = desk.sign_in()
    after = desk.sign_in()

    assert before != after
    assert (desk.known(before), desk.known(after)) == (False, True)


def test_who_does_nothing_for_long_signs_in_again() -> None:
    desk = Desk()
    desk.sign_in()
    desk.now += IDLE - timedelta(seconds=1)
    assert desk.known()
    desk.now += IDLE
    assert not desk.known()


def test_nobody_stays_signed_in_for_longer_than_a_working_day() -> None:
    desk = Desk()
    desk.sign_in()
    for _ in range(int(LONGEST / timedelta(hours=1)) - 1):
        desk.now += timedelta(hours=1)
        assert desk.known()
    desk.now += timedelta(hours=1)
    assert not desk.known()


def test_everybody_can_be_signed_out_at_once() -> None:
    desk = Desk()
    one = desk.sign_in()
    desk.cookie = ""
    other = desk.sign_in()
    assert desk.known(one)
    assert desk.known(other)

    desk.sessions.end_all()
    assert not desk.known(one)
    assert not desk.known(other)


def test_the_cookie_is_of_one_host_and_no_script_reads_it() -> None:
    desk = Desk()
    named, _, value = desk.sign_in().partition("=")

    assert named == "__Host-clew-history"
    assert len(value) == 43  # 256 bits
    assert {"HttpOnly", "Secure", "Path=/", "SameSite=lax"} <= {
        each.strip() for each in desk.attributes.split(";")
    }
    assert "Domain" not in desk.attributes
    assert "Secure" not in Desk(https=False).sign_in()


def test_a_session_that_nobody_made_is_none() -> None:
    desk = Desk()
    desk.sign_in()
    assert not desk.known("__Host-clew-history=" + "A" * 43)


def test_however_many_sign_in_as_many_are_remembered() -> None:
    desk = Desk()
    first = last = desk.sign_in()
    for _ in range(MOST):
        desk.cookie = ""
        desk.now += timedelta(seconds=1)
        last = desk.sign_in()
    assert (desk.known(first), desk.known(last)) == (False, True)
