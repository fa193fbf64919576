"""Words by which customers end, resume and ask: those of carriers, and how people say it.

STOP, START and HELP are what carriers require of whoever sends text messages
(https://www.ctia.org/the-wireless-industry/industry-commitments/messaging-interoperability-sms-mms).
"""

import re
import unicodedata
from typing import Literal

Word = Literal["stop", "start", "help"]

_STOP = frozenset({
    "stop", "stopall", "stop all", "stop-all", "stop sms", "stop please", "please stop", "stopp",
    "unsubscribe", "cancel", "end", "quit", "optout", "opt-out", "opt out", "revoke", "remove",
    "abmelden", "abbestellen", "austragen", "beenden",
    "arret", "desabonner", "desinscription", "desinscrire",
    "odhlasit", "zrusit", "konec", "stopka",
    "baja", "alto", "cancelar", "parar", "anular",
})  # fmt: skip
_START = frozenset({
    "start", "unstop", "yes", "subscribe", "optin", "opt-in", "opt in", "ja", "anmelden", "oui",
    "reprendre", "ano", "prihlasit", "si", "alta",
})  # fmt: skip
_HELP = frozenset({"help", "info", "hilfe", "aide", "pomoc", "ayuda"})

_UNSUBSCRIBES = frozenset(
    """
    unsubscribe|please unsubscribe|unsubscribe me|please unsubscribe me|unsubscribe please|remove me|stop|opt out
    remove me from your list|please remove me from your list|take me off your list|no more emails|no more mails
    abmelden|bitte abmelden|newsletter abmelden|abbestellen|bitte abbestellen|newsletter abbestellen|austragen
    bitte austragen|keine werbung|keine werbung mehr|keine mails mehr|keine e-mails mehr
    desabonner|se desabonner|me desabonner|desabonnement|desinscription|desinscrire|me desinscrire
    desinscrivez-moi|desabonnez-moi|plus de mails
    odhlasit|odhlasit odber|prosim odhlasit|odhlaste me|prosim odhlaste me|zrusit odber|nezasilat|uz mi nepiste
    darse de baja|dar de baja|baja|cancelar suscripcion|cancelar la suscripcion|desuscribir|desuscribirme
    """.strip().replace("\n", "|").replace("  ", "").split("|")
)  # fmt: skip

_NOT_LETTERS = re.compile(r"[^\w\s-]+")
_LONGEST = 80


def word_of_a_text(text: str) -> Word | None:
    """What a short message is, where it is one of the words and nothing else."""
    said = _plain(text)
    if said in _STOP:
        return "stop"
    if said in _START:
        return "start"
    return "help" if said in _HELP else None


def unsubscribes(subject: str, text: str) -> bool:
    """Whether a mail asks to be left alone: its subject, or its first line, says that and no more."""
    lines = [line for line in text.split("\n") if line.strip()]
    first = lines[0] if lines else ""
    if _plain(first) in _UNSUBSCRIBES:
        return True
    # A subject of ours that was answered begins with Re:, and then the text counts alone.
    return _plain(subject) in _UNSUBSCRIBES


def _plain(text: str) -> str:
    """Small letters without accents, marks and signs; empty where it is too long to be one of the words."""
    if len(text) > _LONGEST:
        return ""
    split = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(letter for letter in split if not unicodedata.combining(letter))
    return " ".join(_NOT_LETTERS.sub(" ", letters).split())
