"""A text is as many text messages as networks count (3GPP TS 23.038 and 23.040)."""

import pytest

from journey.text_segments import segments


@pytest.mark.parametrize(
    ("text", "count", "alphabet", "places"),
    [
        ("", 1, "GSM-7", 0),
        ("a" * 160, 1, "GSM-7", 160),
        ("a" * 161, 2, "GSM-7", 161),
        ("a" * 306, 2, "GSM-7", 306),
        ("a" * 307, 3, "GSM-7", 307),
        ("€" * 80, 1, "GSM-7", 160),
        ("a" * 152 + "€" + "a" * 152 + "€", 3, "GSM-7", 308),
        ("š" * 70, 1, "UCS-2", 70),
        ("š" * 71, 2, "UCS-2", 71),
        ("🙂" * 35, 1, "UCS-2", 70),
        ("🙂" * 36, 2, "UCS-2", 72),
    ],
)
def test_a_text_is_so_many_messages(text: str, count: int, alphabet: str, places: int) -> None:
    counted = segments(text)

    assert (counted.count, counted.alphabet, counted.places) == (count, alphabet, places)


def test_the_letters_that_make_it_dear_are_named() -> None:
    assert segments("Dobrý večer, přátelé").costly == ("ý", "č", "ř", "á")
