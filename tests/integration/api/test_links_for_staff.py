"""Staff print the link to a customer's page, to hand it to that customer."""

import asyncio
import os
import sys

import httpx2 as httpx
import pytest

from tests.integration.api.guest_house import ADDRESS, SECRET, GuestHouse

COMMAND = [sys.executable, "-c", "from cli.main import main; main()", "link"]


async def clew(house: GuestHouse, *told: str) -> tuple[int, str, str]:
    environment = {
        **os.environ,
        "CLEW_DATABASE_URL": house.url,
        "CLEW_SECRET": SECRET.decode(),
        "CLEW_PUBLIC_URL": ADDRESS,
    }
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        *told,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, words = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode().strip(), words.decode()


@pytest.mark.parametrize(("page", "path"), [("data", "d"), ("status", "w")])
async def test_a_printed_link_opens_the_page(
    house: GuestHouse, visitor: httpx.AsyncClient, page: str, path: str
) -> None:
    code, said, words = await clew(house, page, f"{house.stay}" if page == "status" else "anna")

    assert code == 0
    assert said.startswith(f"{ADDRESS}/{path}#")
    assert "give it to the customer" in words
    assert (await visitor.get(said)).status_code == 200


@pytest.mark.parametrize(
    ("told", "code", "words"),
    [
        (("pages", "anna"), 2, "one of preferences, data, status, person"),
        (("data", "nobody-we-know"), 1, "Nobody is known as nobody-we-know."),
        (("status", "99999"), 1, "There is no run 99999."),
    ],
)
async def test_a_link_that_cannot_be_made_says_why(
    house: GuestHouse, told: tuple[str, str], code: int, words: str
) -> None:
    returned, said, why = await clew(house, *told)

    assert (returned, said) == (code, "")
    assert words in why
