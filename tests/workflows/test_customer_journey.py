"""What a customer lives through in a run."""

from pathlib import Path

import pytest

from tests.workflows.world import Stage

CART = Path("tests/journeys/abandoned-cart.yaml").read_text()


@pytest.fixture(autouse=True)
def _published(stage: Stage) -> None:
    stage.world.publish(CART)


async def test_who_does_nothing_is_reminded_once_and_let_go(stage: Stage) -> None:
    anna = await stage.enter("abandoned-cart", "Product Added", cart_value=80)

    assert await anna.outcome() == "not-recovered"
    assert anna.was_told() == ["cart-reminder"]


async def test_exit_wins_in_the_middle_of_a_wait(stage: Stage) -> None:
    anna = await stage.enter("abandoned-cart", "Product Added", cart_value=80)
    await anna.does("Order Completed", revenue=80)

    assert await anna.outcome() == "recovered"
    assert anna.was_told() == []
