"""A message names the pages of its customer, and each link opens the page of that customer and run."""

from dataclasses import replace

from channels.customer_links import CustomerLinks, PageKind
from tests.integration.delivery.conftest import ANNA, Desk

NAMES: dict[str, PageKind] = {
    "preferences": "preferences",
    "hold": "data",
    "status": "status",
    "person": "person",
}


async def test_a_message_names_the_pages_of_its_customer(desk: Desk) -> None:
    links = CustomerLinks("https://journeys.example", b"s" * 32, desk.now)
    lines = "\n".join(f"{name} {{{{ {name}.link }}}}" for name in NAMES)
    await desk.publish(f"---\nsubject: Your pages\n---\n{lines}\n")

    delivery = desk.worker()
    delivery = replace(delivery, words=replace(delivery.words, pages=links))
    told = await delivery.deliver_message(desk.order())

    assert told.state == "accepted"
    said = dict(line.split() for line in desk.channel.taken[0].text.splitlines())
    for name, kind in NAMES.items():
        token = said[name].partition("#")[2]
        found = links.read(kind, token)
        assert found.customer == ANNA
        assert found.entry == (7 if name in ("status", "person") else None)
