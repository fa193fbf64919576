"""What we hold of a customer is shown, corrected, taken along, and asked to be erased."""

import json

import httpx2 as httpx
import pytest

from stores.cases import CaseStore
from tests.integration.api.guest_house import GuestHouse, dump, words
from tests.integration.api.survey_page import Page


async def test_the_page_says_what_we_hold_and_where_it_came_from(
    house: GuestHouse, visitor: httpx.AsyncClient
) -> None:
    told = words(await visitor.get(house.links.url("data", house.anna) + "?lang=en"))

    for said in (
        "Nováková",
        "From analytics.js",
        "anna@example.com",
        "Yes to news and offers: E-mail",
        "through our website or app",
        "Your room is yours",
        "E-mail to anna@example.com",
        "Look after a guest from booking to departure",
        "Now: We prepare your room",
        "because of: Room Booked",
        "Handed to a person on",
        "How likely are you to recommend the Hotel Meridian",
        "The people at the desk knew my name.",
        "Europe/Prague",
        "within 30 days",
    ):
        assert said in told
    assert "A cot is wanted" not in told  # a note among staff is in the file, not on the page


async def test_a_correction_is_kept_and_told_to_the_runs(
    house: GuestHouse, visitor: httpx.AsyncClient
) -> None:
    sam = await house.known("sam")
    held = {"first_name": "Sma", "birthday": "1988-04-02", "vip": True, "city": "Brno"}
    await house.run(
        "update customers set traits = %s::jsonb where customer = %s", json.dumps(held), sam
    )
    url, rung = house.links.url("data", sam), house.rung

    sent = await visitor.post(
        f"{url}/correct?lang=de",
        data={
            "trait.first_name": "Sam",
            "trait.city": "",
            "trait.vip": "no",
            "trait.birthday": "1988-04-02",
        },
    )
    shown = words(await visitor.get(sent.headers["location"]))
    again = await visitor.post(f"{url}/correct", data={"trait.first_name": "Sam"})

    traits = (await house.rows("select traits from customers where customer = %s", sam))[0]
    told = await house.rows(
        "select event, properties, context from touchpoints where customer = %s", sam
    )
    assert sent.status_code == 303
    assert "Es ist berichtigt" in shown
    assert "Das haben Sie uns hier gesagt" in shown
    assert traits["traits"] == {"first_name": "Sam", "birthday": "1988-04-02", "vip": True}
    assert told == [
        {
            "event": "$identify",
            "properties": {"first_name": "Sam", "city": None},
            "context": {"source": "customer page"},
        }
    ]
    assert await house.rows("select 1 as one from outbox where unit like %s", f"%{sam}")
    assert house.rung == rung + 1
    assert "done=unchanged" in again.headers["location"]


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"trait.birthday": "2 April"}, "Birthday: write a date as 1990-12-31."),
        ({"trait.birthday": "1988-02-31"}, "Birthday: write a date"),
        ({"trait.zone": "Prague"}, "Time zone: write it as Europe/Prague."),
    ],
)
async def test_a_correction_that_cannot_be_names_the_place_and_keeps_what_was_written(
    house: GuestHouse, visitor: httpx.AsyncClient, form: dict[str, str], said: str
) -> None:
    before = await dump(house)

    told = await visitor.post(house.links.url("data", house.anna) + "/correct?lang=en", data=form)

    assert told.status_code == 400
    assert said in Page(told.text).alert
    assert next(iter(form.values())) in told.text
    assert await dump(house) == before


async def test_an_address_is_not_corrected_by_whoever_holds_the_link(
    house: GuestHouse, visitor: httpx.AsyncClient
) -> None:
    form = {"trait.email": "eve@example.com", "trait.vip": "no", "trait.nothing": "x"}

    told = await visitor.post(house.links.url("data", house.anna) + "/correct", data=form)

    assert "done=unchanged" in told.headers["location"]


async def test_everything_can_be_taken_along(house: GuestHouse, visitor: httpx.AsyncClient) -> None:
    url = house.links.url("data", house.anna) + "/export"

    taken = await visitor.post(url)
    read = taken.json()

    assert "attachment" in taken.headers["content-disposition"]
    assert taken.headers["cache-control"] == "no-store"
    assert read["traits"]["last_name"] == "Nováková"
    assert read["messages"][0]["message"] == "room-booked"
    assert read["cases"][0]["brief"] == "A cot is wanted"
    assert {each["event"] for each in read["touchpoints"]} == {"$identify", "Survey Answered"}
    assert {"kind": "email", "value": "anna@example.com"}.items() <= read["names"][0].items()
    assert read["cut"] == []
    assert (await visitor.get(url)).status_code == 405


async def test_a_request_to_be_forgotten_is_one_case_for_a_person(
    house: GuestHouse, visitor: httpx.AsyncClient
) -> None:
    tom = await house.known("tom")
    url = house.links.url("data", tom)

    unsure = await visitor.post(f"{url}/erase?lang=en", data={})
    asked = [await visitor.post(f"{url}/erase", data={"sure": "yes"}) for _ in range(2)]
    shown = words(await visitor.get(url + "?lang=en"))

    cases = await CaseStore(house.pool).cases(customer=tom)
    told = await house.rows("select event from touchpoints where customer = %s", tom)
    assert unsure.status_code == 400
    assert [page.status_code for page in asked] == [303, 303]
    assert [list(case.decisions) for case in cases] == [["erased", "kept"]]
    assert [row["event"] for row in told] == ["Erasure Requested"]
    assert "A person will do it by 27 December 2026." in shown
