"""`clew members password`: an operator sets with what a member signs in."""

import getpass

import pytest

from cli.member_password import set_password
from cli.output import CommandError
from stores.audit import AuditStore
from tests.integration.inbox.staff_house import PASSWORD, StaffHouse


async def test_an_operator_sets_a_password_and_the_audit_says_who(house: StaffHouse) -> None:
    cookie = await house.sign_ins.begin("eva", "test")

    await set_password(house.pool, "eva", PASSWORD)

    [deed] = await AuditStore(house.pool).latest(who=f"command: {getpass.getuser()}")
    assert (deed.did, deed.what) == ("set a password", "member eva")
    assert await house.passwords.knows("eva", PASSWORD) == "eva"
    assert await house.sign_ins.known(cookie) is None


@pytest.mark.parametrize(
    ("name", "password", "words"),
    [("eva", "short", "12 to 200 characters"), ("nobody", PASSWORD, "no member 'nobody'")],
)
async def test_what_is_wrong_is_told_in_words(
    house: StaffHouse, name: str, password: str, words: str
) -> None:
    with pytest.raises(CommandError, match=words):
        await set_password(house.pool, name, password)


@pytest.mark.parametrize(
    "password",
    ["passwordpassword", "Password1234!", "qwertyuiop12", "123456789012", "1q2w3e4r5t6y", "leavemealone",
     "iloveyou1234", "letmeinletmein", "aaaaaaaaaaaaaaaa", "december2026"],
)  # fmt: skip
async def test_what_very_many_use_is_no_password(house: StaffHouse, password: str) -> None:
    with pytest.raises(CommandError, match="what very many use"):
        await set_password(house.pool, "eva", password)
    assert await house.passwords.knows("eva", password) is None
