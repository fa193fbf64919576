"""What staff write in a mail: orders at its head, a letter below, and never a letter for an order."""

import pytest

from journey.staff_orders import Ordered, UnreadableOrderError, read_orders


def test_orders_stand_at_the_head_and_the_rest_is_a_letter() -> None:
    orders, letter = read_orders(
        "\n#claim\n\n# note It is the glass\n#decide refund amount=20\n#ask They stay\n#LET_GO\n"
        "\nDear Anna,\n#1 is yours\n"
    )

    assert orders == [
        Ordered(order="claim"),
        Ordered(order="note", text="It is the glass"),
        Ordered(order="decide", text="refund amount=20", ask="They stay"),
        Ordered(order="let-go"),
    ]
    assert letter == "Dear Anna,\n#1 is yours"


def test_a_mail_without_orders_is_a_letter_and_an_empty_one_is_nothing() -> None:
    assert read_orders("Dear Anna") == ([], "Dear Anna")
    assert read_orders(" \n ") == ([], "")


@pytest.mark.parametrize(
    "text", ["#decied x", "#", "#note", "#decide", "#ask why", "#claim\n#ask why", "#note x\n" * 21]
)
def test_a_line_that_says_nothing_is_no_letter(text: str) -> None:
    with pytest.raises(UnreadableOrderError):
        read_orders(f"{text}\nDear Anna")
