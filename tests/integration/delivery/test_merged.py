"""A run that began under an id of before sends to who the customer is now, and that counts as theirs."""

from tests.integration.delivery.conftest import ADDRESS, ANNA, Desk


async def test_a_message_of_a_run_of_before_reaches_the_customer_and_is_in_their_ledger(
    desk: Desk,
) -> None:
    await desk.rows("insert into customers (customer) values ('c_now')")
    await desk.rows("update identities set customer = 'c_now' where customer = %s", ANNA)
    await desk.rows(
        "update customers set traits = (select traits from customers where customer = %s)"
        " where customer = 'c_now'",
        ANNA,
    )
    await desk.rows("update customers set merged_into = 'c_now' where customer = %s", ANNA)

    told = await desk.deliver()

    assert told.state == "accepted"
    [mail] = desk.channel.taken
    assert mail.address == ADDRESS
    [row] = await desk.rows("select customer, state from deliveries")
    assert (row["customer"], row["state"]) == ("c_now", "accepted")
