"""Staff read both sides: what a customer was sent, what they wrote, and the files that came along."""

import httpx2
import pytest

from contracts.inbound_message import InboundFile
from tests.integration.delivery.conftest import ADDRESS, ANNA
from tests.integration.inbound.conftest import Post
from tests.integration.inbound.doors import KEY, OWN_ADDRESS, STAFF, client, places, sns

__all__ = ["client", "places", "sns"]


async def test_staff_read_all_that_was_said_in_order(
    post: Post, client: httpx2.AsyncClient
) -> None:
    await post.knows_number()
    await post.desk.deliver(1)
    await post.mail("First", to=OWN_ADDRESS)
    photo = InboundFile(name='B"ag\u00e9.png', media_type="image/png", content=b"\x89PNG")
    heard = await post.text("Second", files=(photo,))

    whom = {**STAFF, "X-Customer": ADDRESS}
    told = (await client.get("/v1/customers/-/conversation", headers=whom)).json()

    assert told["customer"] == ANNA
    assert [(one["way"], one["channel"], one["text"]) for one in told["messages"]] == [
        ("out", "email", "Dear Anna,\nyour gate is B4."), ("in", "email", "First"), ("in", "sms", "Second"),
    ]  # fmt: skip
    assert told["messages"][1]["delivery"] == KEY
    assert told["messages"][2]["files"] == [
        {"n": 1, "name": 'B"agé.png', "media_type": "image/png", "bytes": 4}
    ]
    file = await client.get(f"/v1/inbound/{heard.reply}/files/1", headers=STAFF)
    assert file.content == b"\x89PNG"
    assert file.headers["content-type"] == "application/octet-stream"
    assert file.headers["x-content-type-options"] == "nosniff"
    assert file.headers["content-disposition"] == (
        "attachment; filename=\"B_ag_.png\"; filename*=UTF-8''B%22ag%C3%A9.png"
    )


async def test_what_a_stranger_wrote_is_theirs_once_they_are_known(
    post: Post, client: httpx2.AsyncClient
) -> None:
    await post.mail("Do you fly to Oslo?", sender="Ida@Example.net")
    strangers = (await client.get("/v1/inbound/strangers", headers=STAFF)).json()["messages"]
    await post.desk.rows("insert into identities values ('email', 'ida@example.net', %s)", ANNA)

    told = (await client.get(f"/v1/customers/{ANNA}/conversation", headers=STAFF)).json()

    assert [one["address"] for one in strangers] == ["ida@example.net"]
    assert [one["text"] for one in told["messages"]] == ["Do you fly to Oslo?"]


@pytest.mark.parametrize(
    ("path", "status"),
    [("/v1/customers/nobody/conversation", 404), ("/v1/customers/c_anna/conversation?most=0", 400),
     ("/v1/inbound/x/files/1", 404), ("/v1/inbound/x/files/99999999999", 404), ("/v1/inbound/strangers?most=1x", 400)],
)  # fmt: skip
async def test_staff_are_told_what_is_not_there(
    client: httpx2.AsyncClient, path: str, status: int
) -> None:
    assert (await client.get(path, headers=STAFF)).status_code == status
    assert (await client.get(path)).status_code == 401
