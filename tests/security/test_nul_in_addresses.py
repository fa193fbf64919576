"""No name in an address, however odd, is our fault: PostgreSQL takes no NUL in a text, and says so late."""

import re
from urllib.parse import quote

import pytest

from api.doors import DOORS, Door
from tests.security.conftest import Doors

ODD = ("\x00", "a\x00b", "\x17\U000c6a14", "Ünknown name", "'; drop table cases; --", "9" * 400)
ASKED = [each for each in DOORS if each.proof == "staff" and each.method == "GET"]
_NAMED = re.compile(r"\{\w+(?::\w+)?\}")


def test_there_are_such_doors() -> None:
    assert sum(bool(each.query or "{" in each.path) for each in ASKED) > 15


@pytest.mark.parametrize("door", ASKED, ids=lambda door: door.path)
async def test_what_is_asked_in_an_address_is_answered_or_refused(doors: Doors, door: Door) -> None:
    token = {"Authorization": f"Bearer {doors.tokens['operator']}"}
    for odd in ODD:
        path = _NAMED.sub(quote(odd, safe=""), door.path)
        for said in ({}, *({name: odd} for name in door.query)):
            answer = await doors.client.get(path, params=said, headers=token)
            assert answer.status_code < 500, (path, said)
