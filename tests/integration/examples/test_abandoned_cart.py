"""A cart that was left, on the real product: help, a reminder, one coupon a quarter, a person."""

import re

from tests.integration.examples.conftest import EXAMPLES, Shortened
from tests.integration.examples.shop import Customer, Shop

HELP, REMINDER = "Is something unclear?", "Your cart is still here"
COUPON = "5.00 off what is in your cart"
CODE = re.compile(r"\bCART-\w+")
DAYS_AS_SECONDS = {"until: 1h": "until: 1s", "until: 1d": "until: 1s", "until: 2d": "until: 1s"}


async def shopper(shop: Shop, name: str, *, held_out: bool = False) -> Customer:
    program = await shop.program("abandoned-cart")
    return await shop.customer(name, chosen=lambda ours: program.held_out(ours) == held_out)


async def test_help_comes_first_and_a_coupon_last_and_who_buys_with_it_has_used_it(
    shop: Shop, shortened: Shortened
) -> None:
    """The hour, the day and the two days between our words are a second each."""
    await shop.stack.publish(shortened("abandoned-cart", DAYS_AS_SECONDS))
    ota = await shopper(shop, "ota-cart")

    await ota.does("Product Added", cart_value=80)
    mail = await ota.hears(COUPON)
    code = CODE.findall(mail.text)[0]
    assert await ota.coupons() == [code]
    assert (await ota.coupon_becomes(code, "open")).amount == 5
    await ota.does("Order Completed", revenue=75.0, coupon=code)

    story = await ota.ends("abandoned-cart")
    assert (story.run.outcome, story.run.goal) == ("recovered", True)
    assert ota.told == [HELP, REMINDER, COUPON]
    assert "you looked at something for 80.00" in ota.mails[0].text
    await ota.coupon_becomes(code, "redeemed")
    assert await ota.cases() == []
    await shop.adds_up()


async def test_a_coupon_is_void_after_a_purchase_without_it_and_there_is_no_second_one(
    shop: Shop, shortened: Shortened
) -> None:
    """Days are seconds, and the week in which nobody enters again is none; the quarter is a quarter."""
    words = {"again: after 7d": "again: always", "until: 4h": "until: 1s"}
    await shop.stack.publish(shortened("abandoned-cart", DAYS_AS_SECONDS | words))
    pavla = await shopper(shop, "pavla-cart")

    await pavla.does("Product Added", cart_value=160)
    code = CODE.findall((await pavla.hears("15.00 off what is in your cart")).text)[0]
    await pavla.does("Order Completed", revenue=160.0, coupon="SUMMER")
    assert (await pavla.ends("abandoned-cart")).run.outcome == "recovered"
    await pavla.coupon_becomes(code, "voided")

    await pavla.does("Product Added", cart_value=160)
    await pavla.does("Checkout Started")
    await pavla.entered("abandoned-cart", 2)
    stuck = await pavla.case("sales", saying="Stuck at payment for 4 hours, with 160.00")
    await shop.decide(stuck, "gave-coupon", amount=20)
    again = await pavla.case("sales-leads", saying="had one this quarter")
    assert not any(subject.startswith("As agreed") for subject in pavla.told)
    await shop.decide(again, "found-another-way")
    await pavla.does("Order Completed", revenue=150.0)

    story = await pavla.ends("abandoned-cart")
    assert (story.run.outcome, story.run.goal) == ("recovered", True)
    assert await pavla.coupons() == [code]
    await pavla.coupon_becomes(code, "voided")
    assert pavla.told.count("15.00 off what is in your cart") == 1
    assert await pavla.desks() == [("sales", "resolved"), ("sales-leads", "resolved")]
    await shop.adds_up()


async def test_who_is_stuck_at_payment_gets_a_person_and_what_they_agree_in_writing(
    shop: Shop, shortened: Shortened
) -> None:
    """The four hours after which a person calls are a second."""
    await shop.stack.publish(shortened("abandoned-cart", {"until: 4h": "until: 1s"}))
    rita = await shopper(shop, "rita-cart")

    await rita.does("Product Added", cart_value=120)
    await rita.does("Checkout Started")
    stuck = await rita.case("sales")
    assert stuck["brief"].strip() == "Stuck at payment for 4 hours, with 120.00 in the cart."
    await shop.decide(stuck, "gave-coupon", amount=20)
    agreed = await rita.hears("As agreed: 20.00 off")
    code = CODE.findall(agreed.text)[0]
    await rita.does("Order Completed", revenue=100.0, coupon=code)

    story = await rita.ends("abandoned-cart")
    assert (story.run.outcome, story.run.goal) == ("recovered", True)
    assert (await rita.coupon_becomes(code, "redeemed")).amount == 20
    assert rita.told == ["As agreed: 20.00 off"]
    assert await rita.desks() == [("sales", "resolved")]
    await shop.adds_up()


async def test_buying_takes_the_question_off_staffs_desk(shop: Shop) -> None:
    """As it is: nothing in it has to wait."""
    await shop.stack.publish(EXAMPLES / "abandoned-cart")
    sara = await shopper(shop, "sara-cart")

    await sara.does("Product Added", cart_value=120)
    await sara.does("Help Asked", question="Does it come in blue?")
    asked = await sara.case("sales", saying="Asks: Does it come in blue?, with 120.00 in the cart.")
    await sara.does("Order Completed", revenue=120.0)

    story = await sara.ends("abandoned-cart")
    assert (story.run.outcome, story.run.goal) == ("recovered", True)
    await sara.case("sales", state="closed")
    assert (await shop.asked_to_decide(asked, "called-and-helped")).status_code == 409
    assert (sara.told, await sara.coupons()) == ([], [])
    await shop.adds_up()


async def test_who_is_held_out_hears_nothing_and_costs_no_coupon(
    shop: Shop, shortened: Shortened
) -> None:
    """Days are seconds."""
    await shop.stack.publish(shortened("abandoned-cart", DAYS_AS_SECONDS))
    tom = await shopper(shop, "tom-cart", held_out=True)

    await tom.does("Product Added", cart_value=80)

    story = await tom.ends("abandoned-cart")
    assert story.run.held_out
    assert (story.run.outcome, story.run.goal) == ("not-recovered", False)
    assert (tom.told, await tom.coupons(), await tom.cases()) == ([], [], [])
    refused = ("refused", "held_out")
    assert await tom.deliveries() == {"can-we-help": refused, "cart-reminder": refused}
    await shop.adds_up()
