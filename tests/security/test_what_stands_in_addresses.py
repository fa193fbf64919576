"""No address that is sent to us has what opens something, or where a customer is reached (ASVS V14.2.1)."""

import re
from typing import Any
from urllib.parse import quote

import pytest

from api.doors import DOORS, Door
from api.named_customer import is_personal
from tests.security.conftest import Doors

OPENS = re.compile(r"token|key|secret|password|code|session|link|auth|signature", re.IGNORECASE)
BY_NEED = {
    "/u/{token}": "RFC 8058 has mail programs send a form to the address that the mail names",
    "/u/{token}/undo": "below it, and of no use without what the page sends",
    "/u/{token}/less": "below it",
    "/l/{token}": "a link that leads on to the address of another; it opens nothing of ours",
}
NAMED = [door for door in DOORS if "{identity" in door.path]
IDS = [f"{door.method} {door.path}" for door in NAMED]
PERSONAL = ("anna@shop.example", "email:anna@shop.example", "+420777123456", " +420 777 123 456")


def bearer(doors: Doors, door: Door) -> dict[str, str]:
    who = "devices key" if door.proof == "devices_key" else "operator"
    return {"Authorization": f"Bearer {doors.tokens[who]}"}


def body(door: Door) -> dict[str, Any]:
    if door.taken == "device":
        return {"channel": "push", "token": "t-1"}
    return {name: "upset" if name == "feeling" else "x" for name in door.fields}


async def ask(doors: Doors, door: Door, whose: str, **headers: str) -> Any:
    path = re.sub(r"\{identity[^}]*\}", quote(whose, safe="+@:"), door.path).replace(
        "{what}", "shown"
    )
    sent: dict[str, Any] = {"json": body(door)} if door.changes else {}
    told = {**bearer(doors, door), **headers}
    return await doors.client.request(door.method, path, headers=told, **sent)


def test_no_door_has_a_place_for_a_secret_in_its_address_but_those_that_say_why() -> None:
    places = {
        door.path
        for door in DOORS
        if OPENS.search(" ".join((*re.findall(r"\{([^}]+)\}", door.path), *door.query)))
    }

    assert places == set(BY_NEED)
    assert {door.proof for door in DOORS if door.path.startswith(("/u/", "/l/"))} == {"link"}


@pytest.mark.parametrize("door", NAMED, ids=IDS)
async def test_where_a_customer_is_reached_does_not_stand_in_an_address(
    doors: Doors, door: Door
) -> None:
    before = await doors.held()

    for told in PERSONAL:
        answer = await ask(doors, door, told)
        assert (answer.status_code, answer.json()["code"]) == (400, "personal_address"), answer.text
        assert "X-Customer" in answer.json()["message"]
        assert told.strip() not in answer.text
    nobody = await ask(doors, door, "-")

    assert nobody.status_code == 400
    assert await doors.held() == before


async def test_a_header_says_who_it_is_instead(doors: Doors) -> None:
    door = next(each for each in NAMED if each.method == "GET" and each.path.endswith("/feeling"))
    anna, by_name = doors.people["anna"], await ask(doors, door, "anna")
    async with doors.pool.connection() as connection:
        await connection.execute(
            "insert into identities (kind, value, customer) values ('email', 'änna@shop.example', %s)"
            " on conflict do nothing",
            [anna],
        )

    told = quote("änna@shop.example")
    by_header = await ask(doors, door, "-", **{"X-Customer": told})
    plainly = await ask(doors, door, "-", **{"X-Customer": "anna"})
    cases = await doors.client.get("/v1/cases", headers={**bearer(doors, door), "X-Customer": told})

    assert by_header.status_code == plainly.status_code == by_name.status_code == 200
    assert by_header.json() == plainly.json() == by_name.json()
    assert cases.status_code == 200


async def test_cases_and_mails_are_not_asked_for_by_an_address_either(doors: Doors) -> None:
    staff = {"Authorization": f"Bearer {doors.tokens['operator']}"}
    before = await doors.held()

    cases = await doors.client.get("/v1/cases?customer=anna@shop.example", headers=staff)
    mail = await doors.client.post(
        "/inbound/mail?from=anna@shop.example", headers=staff, content=b"x"
    )

    for refused in (cases, mail):
        assert (refused.status_code, refused.json()["code"]) == (400, "personal_address")
    assert await doors.held() == before


@pytest.mark.parametrize(
    ("told", "is_it"),
    [
        ("anna", False), ("c_0a1b", False), ("4711", False), ("420777123456", False), ("🦊", False), ("", False),
        ("anna@shop.example", True), ("+420777123456", True), ("email:a@b", True),
    ],
)  # fmt: skip
def test_a_number_without_its_country_may_be_what_the_house_calls_somebody(
    told: str, is_it: bool
) -> None:
    assert is_personal(told) == is_it
