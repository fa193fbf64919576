"""How a customer says no more to marketing that is plain text: a word to answer with, or a link."""

import re

_STOP = {
    "en": "Reply STOP to end",
    "cs": "Konec odpovědí STOP",
    "de": "Ende mit Antwort STOP",
    "es": "Responda STOP para no recibir más",
    "fr": "Répondez STOP pour ne plus recevoir",
    "it": "Rispondi STOP per non riceverne più",
    "nl": "Antwoord STOP om te stoppen",
    "pl": "Odpowiedz STOP, aby zakończyć",
    "pt": "Responda STOP para sair",
    "sk": "Koniec odpoveďou STOP",
}
_LINK = {
    "en": "No more of these",
    "cs": "Už nezasílat",
    "de": "Abmelden",
    "es": "Darse de baja",
    "fr": "Se désinscrire",
    "it": "Cancellati",
    "nl": "Afmelden",
    "pl": "Wypisz się",
    "pt": "Cancelar",
    "sk": "Odhlásiť",
}
_NAMES_STOP = re.compile(r"\bSTOP+\b")
"""In capitals: `stop` is a word of every day."""


def with_stop(text: str, locale: str | None) -> str:
    """A text with the word that ends it, once, in the customer's language where we speak it."""
    if _NAMES_STOP.search(text):
        return text
    return _with_line(text, _STOP[_language(locale)])


def with_link(text: str, url: str | None, locale: str | None) -> str:
    """A text with the link that unsubscribes, once; as it is where there is none."""
    if url is None or url in text:
        return text
    return _with_line(text, f"{_LINK[_language(locale)]}: {url}")


def _with_line(text: str, line: str) -> str:
    return f"{text.rstrip()}\n{line}"


def _language(locale: str | None) -> str:
    spoken = re.split(r"[-_]", locale or "en")[0].lower()
    return spoken if spoken in _STOP else "en"
