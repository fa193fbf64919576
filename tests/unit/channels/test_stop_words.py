"""STOP and its kin: the word alone ends it, a sentence with the word in it does not."""

import pytest

from channels.stop_words import unsubscribes, word_of_a_text


@pytest.mark.parametrize(
    "text",
    ["STOP", "stop", " Stop. ", "STOP!!!", "StopAll", "STOP ALL", "unsubscribe", "CANCEL", "END", "Quit",
     "Abmelden", "stopp", "ARRÊT", "désabonner", "odhlásit", "ZRUŠIT", "baja", "Stop 🛑"],
)  # fmt: skip
def test_a_word_that_stops(text: str) -> None:
    assert word_of_a_text(text) == "stop"


@pytest.mark.parametrize(
    "text",
    ["Please don't stop writing", "When does the stop-over end?", "", "cancel my flight", "bus stop",
     "stop" * 40, "I quit my job", "the end"],
)  # fmt: skip
def test_a_sentence_is_an_answer(text: str) -> None:
    assert word_of_a_text(text) is None


@pytest.mark.parametrize(
    ("text", "word"),
    [("START", "start"), ("Yes", "start"), ("UNSTOP", "start"), ("sí", "start"), ("HELP", "help"),
     ("info?", "help"), ("Hilfe", "help")],
)  # fmt: skip
def test_words_that_resume_and_ask(text: str, word: str) -> None:
    assert word_of_a_text(text) == word


@pytest.mark.parametrize(
    ("subject", "text"),
    [("unsubscribe", ""), ("Re: offers", "Unsubscribe"), ("Abmelden", "Danke"), ("", "Bitte abmelden!\n\nMia"),
     ("", "Désabonnez-moi"), ("", "Odhlaste mě, prosím".replace(", prosím", "")), ("", "Darse de baja")],
)  # fmt: skip
def test_a_mail_that_asks_to_be_left_alone(subject: str, text: str) -> None:
    assert unsubscribes(subject, text)


@pytest.mark.parametrize(
    ("subject", "text"),
    [("Re: unsubscribe", "Hello"), ("", "How do I unsubscribe?"), ("Cancel", "my flight"), ("", ""),
     ("Offers", "I would like to unsubscribe my brother")],
)  # fmt: skip
def test_a_mail_that_asks_something_else(subject: str, text: str) -> None:
    assert not unsubscribes(subject, text)
