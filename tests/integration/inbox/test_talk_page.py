"""From the page of a case staff write to the customer, see the answer there, and say what they learned."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from contracts.inbound_message import InboundFile, InboundMessage
from stores.case_messages import CaseWriter
from stores.inbound import InboundStore
from tests.integration.inbox.staff_house import Browser, StaffHouse, said
from tests.integration.inbox.test_case_page import at_work

New = Callable[[], Browser]
HELLO = {"subject": "Your parcel", "letter": "Dear Anna,\n\na new one leaves today.", "once": "o1"}


async def written(house: StaffHouse, case: str) -> list[Any]:
    found = await house.desk.named(case)
    assert found is not None
    return await CaseWriter(house.pool).messages(found.case)


async def test_what_is_written_stands_in_the_thread_and_can_be_undone_for_a_moment(
    house: StaffHouse, browser: New
) -> None:
    case, path = await house.opened(), "/staff/case/1:1"
    eva = await at_work(house, browser, "eva")

    page = await eva.sends(f"{path}/write", **HELLO)
    await eva.sends(f"{path}/write", **HELLO)  # clicked twice
    [message] = await written(house, case)

    assert "It leaves in ten seconds" in said(page)
    assert "Eva Novak leaves in a moment" in said(page)
    assert "a new one leaves today." in said(page)
    assert (message.subject, message.by, message.state) == ("Your parcel", "eva", "waiting")
    undone = said(await eva.sends(f"{path}/undo", message=str(message.message)))
    assert "undone, not sent" in undone
    assert "Undo" not in undone.replace("Undone", "").replace("undone", "")
    assert [each.state for each in await written(house, case)] == ["undone"]


async def test_what_cannot_be_written_says_why_and_keeps_what_was_typed(
    house: StaffHouse, browser: New
) -> None:
    await house.opened()
    eva, ben = await at_work(house, browser, "eva"), await at_work(house, browser, "ben")
    path = "/staff/case/1:1"

    empty = await eva.sends(f"{path}/write", letter="  ")
    by_post = await eva.sends(f"{path}/write", letter="Hello", channel="post")
    unknown = await eva.sends(f"{path}/write", template="nothing-of-this-name")
    await eva.sends(f"{path}/claim")
    hers = await ben.sends(f"{path}/write", letter="I butt in")

    assert [each.status_code for each in (empty, by_post, unknown, hers)] == [409] * 4
    assert "Choose a channel that is offered" in said(by_post)
    assert ">Hello</textarea>" in by_post.text
    assert "No message 'nothing-of-this-name' is published" in said(unknown)
    assert await written(house, "1:1") == []


async def test_files_go_along_and_files_that_came_can_be_saved_and_are_nobody_elses(
    house: StaffHouse, browser: New
) -> None:
    anna = await house.known("anna", first_name="Anna")
    case, path = await house.opened(customer=anna), "/staff/case/1:1"
    eva, rita = await at_work(house, browser, "eva"), await at_work(house, browser, "rita")
    photo = InboundFile(name="broken <b>.png", media_type="image/png", content=b"\x89PNG")
    told = InboundMessage(
        reply="email/<a/b@x>", channel="email", address="anna@example.com", text="See the photo",
        received_at=datetime.now(UTC), names=(("user_id", "anna"),), files=(photo,),
    )  # fmt: skip
    await InboundStore(house.pool, house.customers).take(told)

    sent = await eva.client.post(
        f"{path}/write", data={"csrf": eva.csrf, **HELLO}, follow_redirects=True,
        files=[("files", ("receipt.pdf", b"%PDF-1", "application/pdf"))],
    )  # fmt: skip
    page = await eva.goes(path)
    [message] = await written(house, case)
    theirs = await eva.client.get(
        f"{path}/file", params={"way": "in", "message": told.reply, "n": "1"}
    )
    ours = await eva.client.get(f"{path}/file?way=out&message={message.message}&n=1")

    assert sent.status_code == 200, said(sent)
    assert "receipt.pdf" in said(page)
    assert "See the photo" in said(page)
    assert "broken &lt;b&gt;.png" in page.text
    assert (theirs.content, ours.content) == (b"\x89PNG", b"%PDF-1")
    assert theirs.headers["content-type"] == "application/octet-stream"
    assert theirs.headers["content-disposition"].startswith("attachment")
    other = await house.opened(customer=await house.known("ben"))
    for address in (
        f"/staff/case/{other}/file?way=out&message={message.message}&n=1",
        f"/staff/case/{other}/file?way=in&message=email%2F%3Ca%2Fb%40x%3E&n=1",
        f"{path}/file?way=out&message={message.message}&n=2", f"{path}/file?way=out&message=x&n=y",
    ):  # fmt: skip
        assert (await eva.client.get(address)).status_code == 404, address
    assert (
        await rita.client.get(f"{path}/file?way=out&message={message.message}&n=1")
    ).status_code == 404


async def test_a_form_that_is_too_large_or_broken_is_refused_in_words(
    house: StaffHouse, browser: New
) -> None:
    await house.opened()
    eva, path = await at_work(house, browser, "eva"), "/staff/case/1:1/write"

    large = await eva.client.post(
        path, data={"csrf": eva.csrf, "letter": "x"}, files=[("files", ("a", b"x" * 22_000_000))]
    )
    broken = await eva.client.post(
        path,
        content=b"--x\r\nnonsense",
        headers={"content-type": "multipart/form-data"},
    )
    forged = await eva.client.post(path, data={"letter": "x"}, files=[("files", ("a", b"x"))])

    assert [each.status_code for each in (large, broken, forged)] == [413, 400, 403]
    assert await written(house, "1:1") == []


async def test_who_called_is_unknown_until_verified_and_then_what_was_said_is_shown(
    house: StaffHouse, browser: New
) -> None:
    async with house.pool.connection() as connection:
        zoe = await house.customers.resolve(
            connection, [("user_id", "zoe"), ("phone", "+420777123456")]
        )
        await house.customers.merge_traits(connection, zoe, {"first_name": "Zoe", "tier": "gold"})
        await connection.execute(
            "insert into deliveries (key, entry, n, journey, customer, message, purpose, channel, address, state,"
            " run_time, settled_at, sent_subject, sent_text) values ('k', 1, 1, 'cart', %s, 'code', 'service', 'sms',"
            " '+420777123456', 'accepted', now(), now(), '', 'Your code is 98765')",
            [zoe],
        )
    told = InboundMessage(
        reply="sms-1", channel="sms", address="+420777123456", text="My PIN is 1234",
        received_at=datetime.now(UTC), names=(("user_id", "zoe"),),
    )  # fmt: skip
    await InboundStore(house.pool, house.customers).take(told)
    eva = await at_work(house, browser, "eva")

    opened = await eva.sends(
        "/staff/new", customer="+420 777 123 456", queue="sales", brief="Lost card"
    )
    path = opened.url.path
    again = await eva.sends("/staff/new", customer="00420777123456", queue="sales", brief="Again")
    unproven, silent = said(opened), await eva.sends(f"{path}/verify", how=" ")
    proven = said(await eva.sends(f"{path}/verify", how="her order number"))

    assert "A new case." in unproven
    assert again.url.path == path
    assert "They have this case already" in said(again)
    assert "Nothing has proved who this is" in unproven
    assert not any(each in unproven for each in ("Zoe", "gold", "1234", "98765"))
    assert silent.status_code == 409
    assert "Verified by her order number" in proven
    assert all(each in proven for each in ("Zoe", "gold", "My PIN is 1234", "Your code is 98765"))


async def test_a_new_case_says_what_is_missing(house: StaffHouse, browser: New) -> None:
    eva, ana = await at_work(house, browser, "eva"), await at_work(house, browser, "ana")
    whole = {"customer": "zoe@example.com", "queue": "sales", "brief": "Rang", "place": "prague"}

    for missing, says in (
        ("customer", "Say who it is"), ("queue", "Choose a queue"), ("brief", "what it is about"),
    ):  # fmt: skip
        answer = await eva.sends("/staff/new", **(whole | {missing: ""}))
        assert (answer.status_code, says in said(answer)) == (400, True), said(answer)
    nobody = await eva.sends("/staff/new", **(whole | {"customer": "somebody"}))
    place = await eva.sends("/staff/new", **(whole | {"place": "Prague West"}))

    assert "Nobody is known as" in said(nobody)
    assert "lower case with dashes" in said(place)
    assert (await ana.goes("/staff/new")).status_code == 403
    assert "+420777" not in (await eva.goes("/staff/new?customer=%2B420777")).text


async def test_what_was_learned_goes_with_the_decision(house: StaffHouse, browser: New) -> None:
    await house.opened()
    eva = await at_work(house, browser, "eva")

    await eva.sends(
        "/staff/case/1:1/decide", decision="explained", note="She laughed", lacked="the price list"
    )

    told = await house.rows("select event, properties from touchpoints order by event")
    by_event = {each["event"]: each["properties"] for each in told}
    assert by_event["Case Noted"]["note"] == "She laughed"
    assert by_event["Staff Lacked"]["lacked"] == "the price list"
    assert "the price list" in said(await eva.goes("/staff/figures"))
