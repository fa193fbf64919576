"""A message is seen as a customer would read it, and what nobody gave is named."""

from stores.messages import MessageStore
from tests.integration.control.conftest import Control
from tests.integration.inbox.staff_house import HOSTILE, said

LATE = '---\nsubject: "Late {{ customer.first_name }}"\n---\nWe leave at {{ run.gate }}.\n'


async def test_what_is_missing_is_named_and_what_is_typed_is_read(control: Control) -> None:
    await MessageStore(control.house.pool).publish("late", LATE)
    page = await control.lead.goes("/control/message/late")
    assert page.status_code == 200
    assert "customer.first_name run.gate" in said(page)
    assert "frame-src 'self'" in page.headers["content-security-policy"]

    page = await control.lead.sends(
        "/control/message/late?channel=sms", values="run: {gate: B7}", q=""
    )

    assert "We leave at B7." in said(page)
    assert "B7" not in str(page.url)


async def test_a_mail_runs_nothing_in_its_frame(control: Control) -> None:
    await control.house.known("anna", first_name=HOSTILE)
    await MessageStore(control.house.pool).publish("late", LATE)
    await control.lead.goes("/control/message/late")
    page = await control.lead.sends("/control/message/late", values="", q="anna")
    assert "<script>document" not in page.text
    frame = await control.lead.client.get("/control/message/late/mail")
    assert frame.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
