"""Programs outside hear what happens to cases: signed, in order, again after a pause, and not for ever."""

import base64
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from standardwebhooks.webhooks import Webhook
from werkzeug import Request, Response

from channels.case_hook import CaseHookPost
from contracts.sealing import MasterKeys
from journey.effects import OfferedDecision
from routing.case_hooks import OFF_AFTER, CaseHooks
from stores.case_events import CaseEventStore
from stores.case_hooks import CaseHook, CaseHookStore, HookExistsError
from stores.staff_opened_cases import NewCase, StaffOpenedCaseStore
from tests.integration.stores.conftest import Shop

SECRET = "a secret of at least 32 characters"
KEYS = MasterKeys.read(None, SECRET)
LATER = MasterKeys.read(f"2027:{base64.b64encode(bytes(32)).decode()}", SECRET)
NOTE = "Her daughter is ill"


class Receiver:
    """A program outside: what it took, after its signature was checked."""

    def __init__(self, server: HTTPServer) -> None:
        self.secret, self.answers = "", list[int]()
        self.took, self.ids = list[dict[str, Any]](), list[str]()
        server.expect_request("/hook").respond_with_handler(self._answer)
        self.url = server.url_for("/hook")

    def _answer(self, request: Request) -> Response:
        told: Any = Webhook(self.secret).verify(request.get_data(), dict(request.headers))
        self.ids.append(request.headers["webhook-id"])
        status = self.answers.pop(0) if self.answers else 204
        if status < 300:
            self.took.append(told)
        return Response(status=status)

    @property
    def kinds(self) -> list[str]:
        return [each["type"] for each in self.took]


@pytest.fixture
def receiver(httpserver: HTTPServer) -> Receiver:
    return Receiver(httpserver)


async def hooked(shop: Shop, receiver: Receiver, kinds: Sequence[str] = ()) -> CaseHookStore:
    hooks = CaseHookStore(shop.pool, KEYS)
    receiver.secret = await hooks.add("wall", receiver.url, kinds, by="boss")
    return hooks


async def worked_on(shop: Shop) -> str:
    opened = StaffOpenedCaseStore(shop.pool)
    offered = {"pay": OfferedDecision(fields={"words": "text"})}
    new = NewCase(customer="+420777123456", queue="desk", brief=NOTE, decisions=offered)
    case, _ = await opened.open_by_staff(new, by="eva")
    await shop.cases.claim(case.case, "eva")
    await shop.cases.note(case.case, "eva", NOTE)
    await shop.cases.decide(case.case, "pay", {"words": NOTE}, by="eva")
    await settled(shop)
    return case.case


async def settled(shop: Shop) -> None:
    async with shop.pool.connection() as connection:
        await connection.execute("update case_events set at_wall = at_wall - interval '1 minute'")


async def tell(
    shop: Shop,
    hooks: CaseHookStore,
    *,
    allowed: Sequence[str] = ("localhost",),
    late: timedelta = timedelta(),
) -> None:
    """As many rounds as there is something to tell, and no pause between attempts."""
    post = CaseHookPost(lambda: datetime.now(UTC), allowed=allowed)
    telling = CaseHooks(hooks, CaseEventStore(shop.pool), post, lambda: datetime.now(UTC) + late)
    while await telling.round():
        pass
    await post.close()


async def only(hooks: CaseHookStore) -> CaseHook:
    [hook] = await hooks.hooks()
    return hook


async def no_pause(shop: Shop) -> None:
    async with shop.pool.connection() as connection:
        await connection.execute("update case_hooks set next_at = now()")


async def test_a_hook_hears_everything_once_signed_and_in_order(
    shop: Shop, receiver: Receiver
) -> None:
    hooks = await hooked(shop, receiver)
    case = await worked_on(shop)

    await tell(shop, hooks)
    await tell(shop, hooks)

    assert receiver.kinds == ["case.opened", "case.claimed", "case.noted", "case.decided"]
    assert {each["data"]["case"] for each in receiver.took} == {case}
    assert receiver.took[3]["data"]["detail"] == {"decision": "pay"}
    assert NOTE not in str(receiver.took)
    assert len(set(receiver.ids)) == 4


async def test_a_hook_hears_only_what_it_wants(shop: Shop, receiver: Receiver) -> None:
    hooks = await hooked(shop, receiver, ["decided"])
    await worked_on(shop)

    await tell(shop, hooks)

    assert receiver.kinds == ["case.decided"]
    assert (await only(hooks)).told_to == 4


async def test_what_was_not_taken_is_told_again_before_what_came_after(
    shop: Shop, receiver: Receiver
) -> None:
    hooks = await hooked(shop, receiver)
    await worked_on(shop)
    receiver.answers = [204, 500]

    await tell(shop, hooks)
    assert receiver.kinds == ["case.opened"]
    assert (await only(hooks)).failures == 1
    await no_pause(shop)
    await tell(shop, hooks)

    assert receiver.kinds == ["case.opened", "case.claimed", "case.noted", "case.decided"]
    assert receiver.ids[1] == receiver.ids[2]
    assert ((await only(hooks)).failures, (await only(hooks)).failing_since) == (0, None)


@pytest.mark.parametrize("gone", [True, False])
async def test_a_hook_that_wants_no_more_or_fails_too_long_is_switched_off_and_told(
    shop: Shop, receiver: Receiver, gone: bool
) -> None:
    hooks = await hooked(shop, receiver)
    await worked_on(shop)
    receiver.answers = [410] if gone else [500, 500]
    await tell(shop, hooks)
    if not gone:
        assert (await only(hooks)).off_at is None
        await no_pause(shop)
        await tell(shop, hooks, late=OFF_AFTER)

    assert (await only(hooks)).off_at is not None
    [deed] = await shop.rows("select who from audit where did = 'switched off'")
    assert deed["who"] == "clew"

    await hooks.tried("wall", by="boss", why=None)
    await tell(shop, hooks)
    assert len(receiver.took) == 4


async def test_a_private_address_is_not_called_unless_it_is_allowed(
    shop: Shop, receiver: Receiver
) -> None:
    hooks = await hooked(shop, receiver)
    await worked_on(shop)

    await tell(shop, hooks, allowed=())

    assert receiver.ids == []
    assert (await only(hooks)).failures == 1


async def test_secrets_are_sealed_and_names_are_taken_once(shop: Shop, receiver: Receiver) -> None:
    hooks = await hooked(shop, receiver)
    _, secret = await hooks.with_secret("wall")
    [row] = await shop.rows("select secret from case_hooks")
    assert secret not in bytes(row["secret"])
    with pytest.raises(HookExistsError):
        await hooks.add("wall", receiver.url, (), by="boss")


async def test_a_secret_that_was_put_under_a_new_master_key_still_signs(
    shop: Shop, receiver: Receiver
) -> None:
    await hooked(shop, receiver)
    later = CaseHookStore(shop.pool, LATER)

    assert await later.rewrap() == 1
    assert await later.rewrap() == 0

    _, secret = await later.with_secret("wall")
    [kept] = await shop.rows("select master from case_hooks")
    assert kept["master"] == "2027"
    assert receiver.secret == "whsec_" + base64.b64encode(secret).decode()
