"""How many text messages a text is, as the customer's bill counts them (3GPP 23.038)."""

import pytest

from channels.sms_length import sms_length


@pytest.mark.parametrize(
    ("text", "segments", "encoding"),
    [
        ("", 1, "GSM"),
        ("x" * 160, 1, "GSM"),
        ("x" * 161, 2, "GSM"),
        ("x" * 306, 2, "GSM"),
        ("x" * 307, 3, "GSM"),
        ("€" * 80, 1, "GSM"),
        ("€" * 81, 2, "GSM"),
        ("x" * 152 + "€" + "x" * 153, 3, "GSM"),
        ("Füße für 5 £", 1, "GSM"),
        ("ž" * 70, 1, "UCS-2"),
        ("ž" * 71, 2, "UCS-2"),
        ("😀" * 35, 1, "UCS-2"),
        ("😀" * 36, 2, "UCS-2"),
        ("a" * 66 + "😀" + "a" * 66, 3, "UCS-2"),
    ],
)
def test_a_text_is_as_many_messages_as_the_network_makes_of_it(
    text: str, segments: int, encoding: str
) -> None:
    counted = sms_length(text)

    assert (counted.segments, counted.encoding) == (segments, encoding)


def test_an_author_is_told_what_makes_a_text_dear() -> None:
    assert sms_length("Gate B4").in_words() == "1 text message (7 of 160 places, GSM)"
    assert sms_length("Odlet v 19:05 – brána žlutá " * 3).in_words() == (
        "2 text messages (84 of 134 places, UCS-2);"
        " –, á, ž not in GSM: 70 letters a message, not 160"
    )
