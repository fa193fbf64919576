"""All who wait at a step are acted on: what was previewed happens to whom it was shown, once, and can be halted."""

import asyncio
import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from contracts.bulk_acts import BulkAnswer, BulkDeed
from routing.bulk_acts import BulkActs
from stores.bulk_acts import BulkAct, BulkActStore
from tests.integration.control.conftest import Control
from tests.integration.inbox.staff_house import HOSTILE, said
from tests.unit.insight.recordings import TEA

BULK = "/control/journey/tea/bulk"
FILM = TEA.replace("- wait: {any:", "- set: {customer.asked: true}\n      - wait: {any:")
STEP = "tasting/3/otherwise/0"
LEASE = timedelta(minutes=1)


class Runs:
    """Runs that do what they are told once, by the id of the order; `refuses`: those that do not."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self.done: list[str] = []
        self.refuses: set[int] = set()

    async def tell(self, deed: BulkDeed) -> BulkAnswer:
        if deed.entry in self.refuses:
            return BulkAnswer(became="refused", why="not now")
        if deed.key not in self.done:
            self.done.append(deed.key)
        return BulkAnswer(became="done")


class DiesWhenTold(Runs):
    """The process that asks is killed after the run obeyed, before anything is written."""

    async def tell(self, deed: BulkDeed) -> BulkAnswer:
        await super().tell(deed)
        raise asyncio.CancelledError


async def editing(control: Control) -> None:
    await control.house.hire("edith", "Edith", "editor", [])
    await control.house.signed_in(control.agent.client, "edith")
    await control.agent.goes("/control")


async def previewed(control: Control, act: str = "end", **more: str) -> tuple[str, dict[str, str]]:
    """What the preview says, and the form on it."""
    asked = urlencode({"at": STEP, "act": act, **more})
    answer = await control.agent.goes(f"{BULK}?{asked}")
    assert answer.status_code == 200, answer.text
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', answer.text))
    fields.pop("csrf")
    return said(answer), fields


async def ordered(control: Control, **more: str) -> BulkAct:
    _, fields = await previewed(control)
    answer = await control.agent.sends(BULK, **{**fields, "reason": "the shop closed", **more})
    assert answer.status_code == 200, answer.text
    return await newest(control)


async def newest(control: Control) -> BulkAct:
    return (await BulkActStore(control.house.pool).acts("tea"))[0]


def router(control: Control, runs: Any, **more: Any) -> BulkActs:
    return BulkActs(BulkActStore(control.house.pool), runs, **more)


async def change(control: Control, statement: Any, *values: object) -> None:
    async with control.house.pool.connection() as connection:
        await connection.execute(statement, values)


async def standing(control: Control) -> list[int]:
    rows = await control.house.rows(
        "select entry from runs where state = 'open' and stands ? %s order by entry", STEP
    )
    return [row["entry"] for row in rows]


async def test_a_preview_says_how_many_who_and_that_nothing_more_is_sent(control: Control) -> None:
    await editing(control)
    here = await standing(control)

    words, fields = await previewed(control)

    assert f"{len(here)} runs" in words
    assert "nothing more is sent" in words
    assert (fields["shown"], fields["up_to"]) == (str(len(here)), str(here[-1]))
    [last] = await control.house.rows("select customer from runs where entry = %s", here[-1])
    assert last["customer"] in words
    assert await BulkActStore(control.house.pool).acts("tea") == []


async def test_a_preview_of_a_move_says_what_each_would_become(control: Control) -> None:
    await editing(control)
    old = control.house.version
    await control.agent.sends("/control/journey/tea/source", source=FILM, act="publish")

    words, fields = await previewed(control, "move", version=old)
    assert "begins stage tasting anew" in words
    assert fields["to"] != old
    words, _ = await previewed(control, "move", version=old, to_step="tasting/3")
    assert "go on at tasting/3" in words
    refused = await control.agent.goes(f"{BULK}?at={STEP}&act=move&version={old}&to_step=no/9")
    assert refused.status_code == 400

    await control.agent.sends(BULK, **fields, reason="a better one")
    act = await newest(control)
    assert (act.kind, act.version, act.to_version) == ("move", old, fields["to"])


async def test_a_preview_of_a_nudge_says_where_it_leads_and_who_cannot_be_nudged(
    control: Control,
) -> None:
    await editing(control)
    first, second, third, *others = await standing(control)
    await change(control, "update runs set engine = 3 where entry = any(%s)", [first, second])
    await change(control, "update runs set wakes_at = null where entry = %s", third)

    words, fields = await previewed(control, "nudge")

    assert f"{len(others)} of {len(others) + 3} runs" in words
    assert "go on at: finish: lost" in words
    assert "1 cannot be nudged: they wait without a deadline" in words
    assert "2 cannot be nudged: their engine is too old" in words
    assert f"Nudge {len(others)} runs" in words
    assert "consent" in words

    await control.agent.sends(BULK, **fields, reason="the shop is open again")
    act = await newest(control)
    assert (act.kind, act.shown, act.to_version) == ("nudge", len(others) + 3, None)
    runs = Runs(control)
    while await router(control, runs).round():
        pass
    page = said(await control.agent.goes(f"{BULK}/{act.act}"))
    assert f"{act.shown} of {act.shown} nudged" in page
    [deed] = await control.house.rows(
        "select who from audit where did = 'ordered to nudge all at a step'"
    )
    assert deed["who"] == "edith"


async def test_where_nobody_can_be_nudged_nothing_is_ordered(control: Control) -> None:
    await editing(control)
    await change(control, "update runs set engine = 3")

    asked = urlencode({"at": STEP, "act": "nudge"})
    page = await control.agent.goes(f"{BULK}?{asked}")

    assert "Nobody who stands here can be nudged" in said(page)
    assert 'name="reason"' not in page.text


async def test_a_run_whose_trace_says_that_it_was_nudged_is_not_told_again(
    control: Control,
) -> None:
    """It had gone on and forgotten the order's id, before its router wrote that it was told."""
    await editing(control)
    _, fields = await previewed(control, "nudge")
    await control.agent.sends(BULK, **fields, reason="the shop is open again")
    act = await newest(control)
    gone = (await standing(control))[0]
    await change(
        control,
        "insert into trace (entry, sequence, at, address, kind, why)"
        " values (%s, 9999, now(), %s, 'nudged', %s)",
        gone,
        STEP,
        f"bulk act {act.act}: the shop is open again",
    )
    await change(control, "update runs set stands = '{}' where entry = %s", gone)

    runs = Runs(control)
    while await router(control, runs).round():
        pass

    assert f"bulk-{act.act}-{gone}" not in runs.done
    assert (await newest(control)).done == act.ordered


async def test_who_comes_later_is_not_touched_and_who_went_on_is_left_alone(
    control: Control,
) -> None:
    await editing(control)
    first, second, third, *others = await standing(control)
    _, fields = await previewed(control)
    # One went on before the order, one came to the step after the preview.
    await change(control, "update runs set stands = '{}' where entry = %s", first)
    await change(
        control,
        "update runs set stands = jsonb_build_object(%s::text, '2090-01-01T00:00:00Z') where entry = %s",
        STEP,
        second,
    )
    await control.agent.sends(BULK, **fields, reason="the shop closed")
    # One went on after the order.
    await change(control, "update runs set stands = '{}' where entry = %s", third)

    runs = Runs(control)
    while await router(control, runs).round():
        pass

    act = await newest(control)
    assert {key.rsplit("-", 1)[1] for key in runs.done} == {str(each) for each in others}
    assert (act.shown, act.ordered, act.done, act.left_alone) == (
        len(others) + 3, len(others) + 1, len(others), 1,
    )  # fmt: skip
    words = said(await control.agent.goes(f"{BULK}/{act.act}"))
    assert f"{len(others)} of {len(others) + 3} ended" in words
    assert "Left alone: they had gone on 3" in words


async def test_a_form_that_is_sent_twice_orders_once_and_the_audit_says_it(
    control: Control,
) -> None:
    await editing(control)
    _, fields = await previewed(control)
    for _ in range(2):
        await control.agent.sends(BULK, **fields, reason=HOSTILE[:100])

    [act] = await BulkActStore(control.house.pool).acts("tea")
    [deed] = await control.house.rows(
        "select who, object, detail from audit where did = 'ordered to end all at a step'"
    )
    assert (deed["who"], deed["object"]) == ("edith", "journey tea")
    assert (deed["detail"]["runs"], deed["detail"]["step"]) == (act.ordered, STEP)
    assert deed["detail"]["why"] == act.reason
    page = await control.agent.goes(f"{BULK}/{act.act}")
    assert act.reason in said(page)
    assert "<script>document" not in page.text


async def test_two_routers_share_an_act_and_do_nothing_twice(control: Control) -> None:
    await editing(control)
    act = await ordered(control)
    store = BulkActStore(control.house.pool)
    shares = await asyncio.gather(*(store.due(7, LEASE) for _ in range(3)))
    entries = [deed.entry for share in shares for deed in share]
    assert len(entries) == len(set(entries)) == 21 < act.ordered


async def test_what_a_dead_router_held_is_taken_over_and_done_once(control: Control) -> None:
    await editing(control)
    act = await ordered(control)
    dying = DiesWhenTold(control)
    with pytest.raises(asyncio.CancelledError):
        await router(control, dying, lease=timedelta(0)).round()
    assert dying.done
    assert (await newest(control)).done == 0

    alive = Runs(control)
    alive.done = dying.done
    while await router(control, alive).round():
        pass

    assert (await newest(control)).done == act.ordered
    assert len(alive.done) == act.ordered


async def test_who_refuses_is_told_with_the_reason(control: Control) -> None:
    await editing(control)
    act = await ordered(control)
    runs = Runs(control)
    runs.refuses = set((await standing(control))[:2])
    while await router(control, runs).round():
        pass
    assert (await newest(control)).refused == 2
    assert "2 refused: not now" in said(await control.agent.goes(f"{BULK}/{act.act}"))


async def test_an_admin_halts_it_and_nobody_further_is_touched(control: Control) -> None:
    await editing(control)
    act = await ordered(control)
    runs = Runs(control)
    await router(control, runs, at_once=3).round()
    refused = await control.agent.sends(f"{BULK}/{act.act}/halt")
    assert refused.status_code == 403
    assert "An admin halts" in said(refused)
    await control.house.signed_in(control.lead.client, "root")
    await control.lead.goes("/control")

    halted = await control.lead.sends(f"{BULK}/{act.act}/halt")

    assert "Halted by root" in said(halted)
    await router(control, runs).round()
    assert len(runs.done) == 3
    assert f"Not touched: it was halted {act.ordered - 3}" in said(halted)
    [deed] = await control.house.rows("select who from audit where did = 'halted an act'")
    assert deed["who"] == "root"


async def test_leads_and_analysts_look_and_order_nothing(control: Control) -> None:
    await editing(control)
    _, fields = await previewed(control)
    for member in ("lena", "ana"):
        await control.house.signed_in(control.lead.client, member)
        shown = await control.lead.goes(f"{BULK}?at={STEP}&act=end")
        assert "An editor or an admin acts on all at a step" in said(shown)
        refused = await control.lead.sends(BULK, **fields, reason="because")
        assert refused.status_code == 403
    assert await BulkActStore(control.house.pool).acts("tea") == []


async def test_what_no_preview_showed_is_refused(control: Control) -> None:
    await editing(control)
    _, fields = await previewed(control)
    for wrong, status in (
        ({"up_to": "x"}, 400),
        ({"seen_at": "2090-01-01"}, 400),
        ({"form": ""}, 400),
        ({"act": "burn"}, 400),
        ({"reason": " "}, 400),
        ({"at": "no/1"}, 404),
        ({"version": "0" * 64}, 404),
    ):
        answer = await control.agent.sends(BULK, **{**fields, "reason": "because", **wrong})
        assert answer.status_code == status, wrong
    for path in ("9", "nine", "9" * 40):
        assert (await control.agent.goes(f"{BULK}/{path}")).status_code == 404
    assert await BulkActStore(control.house.pool).acts("tea") == []
