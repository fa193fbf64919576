"""Which personas customers fit is kept as they change, with its reasons."""

from tests.integration.moment.conftest import House

PERSONAS = """
personas:
  - persona: prefers-people
    title: The one who prefers people
    counts: {calls: {on: Support Called, within: 90d}}
    match:
      - {when: 'has(customer.preferred_channel) && customer.preferred_channel == "phone"', because: asked for calls}
      - {when: counts.calls >= 2, weight: 0.6, because: they called twice in 90 days}
      - {when: counts.calls >= 3, weight: 0.4, because: and once more}
  - persona: hurried-regular
    title: The hurried regular
    match:
      - {when: customer.orders >= 10.0, because: they have ordered ten times}
"""


async def test_personas_follow_what_customers_say_and_do(house: House) -> None:
    await house.publish("personas", PERSONAS)
    anna = await house.known(orders=12.0)
    await house.happens("$identify", anna, orders=12.0)
    await house.route()
    assert (await house.traits(anna))["personas"] == ["hurried-regular"]

    for _ in range(3):
        await house.happens("Support Called", anna)
    await house.route()

    assert (await house.traits(anna))["personas"] == ["hurried-regular", "prefers-people"]
    told = await house.get("/v1/customers/anna/now")
    assert told["personas"][1] == {
        "persona": "prefers-people",
        "title": "The one who prefers people",
        "because": ["they called twice in 90 days", "and once more"],
    }
    changes = await house.rows(
        "select properties from touchpoints where event = '$identify' order by touchpoint"
    )
    assert changes[-1]["properties"] == {"personas": ["hurried-regular", "prefers-people"]}
