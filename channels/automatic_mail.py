"""Whether nobody wrote this mail: out of office, received with thanks, mailing lists, other robots."""

import re
from email.message import Message

from channels.mail_words import addresses, header, raw_header

_SAYS_SO = (
    "X-Autoreply", "X-Autorespond", "X-Autoresponder", "X-Auto-Response-Suppress", "X-AutoReply-From",
    "X-Mail-Autoreply", "X-FC-MachineGenerated", "X-Cron-Env", "X-Ebay-Mailtracker", "List-Id",
    "List-Post", "List-Unsubscribe", "Feedback-ID",
)  # fmt: skip
_PRECEDENCE = frozenset({"bulk", "junk", "list", "auto_reply", "auto-reply"})
_ROBOTS = re.compile(
    r"(mailer-daemon|postmaster|(do[-_.]?not|no)[-_.]?reply|bounces?|auto-?reply|autoresponder|vacation)([-+.].*)?@"
)
_SUBJECTS = re.compile(
    r"""^\W*(
        out\sof\s(the\s)?office | automatic\s(reply|response) | auto(matic|matically)?[\s:-]?(reply|response|generated)
      | away\sfrom\s(the\soffice|my\smail) | on\s(vacation|holiday|annual\sleave)\b | vacation\s(reply|response)
      | automatische\s(antwort|r[üu]ckmeldung) | abwesenheit(snotiz|sassistent|sbenachrichtigung|\b)
      | (ich\sbin\s)?(au[sß]er\shaus|nicht\sim\sb[üu]ro)\b
      | r[ée]ponse\sautomatique | absence\sdu\sbureau | (message|notification)\sd.absence | absent\sdu\sbureau
      | automatick[áa]\s(odpov[ěe]ď|odpove|odpov[ěe]d) | mimo\s(kancel[áa][řr]|kanceláriu) | nep[řr][íi]tomnost
      | respuesta\sautom[áa]tica | fuera\sde\s(la\s)?oficina | risposta\sautomatica | fuori\sufficio
      | automatisch\santwoord | afwezig | odpowied[źz]\sautomatyczna
      | undeliverable | undelivered\smail | delivery\s(status\snotification|failure|has\sfailed)
      | mail\sdelivery\s(failed|failure|subsystem|system) | returned\smail | unzustellbar | failure\snotice
    )""",
    re.IGNORECASE | re.VERBOSE,
)


def is_automatic(mail: Message, *, from_nobody: bool) -> bool:
    """Whether a robot wrote it (RFC 3834, and what robots did before and besides).

    `from_nobody`: the envelope names no sender, so that nothing may be answered.
    """
    if from_nobody or raw_header(mail, "Return-Path").strip() == "<>":
        return True
    told = raw_header(mail, "Auto-Submitted").partition(";")[0].strip().lower()
    if told and told != "no":
        return True
    if any(mail.get(name) is not None for name in _SAYS_SO):
        return True
    if raw_header(mail, "Precedence").strip().lower() in _PRECEDENCE:
        return True
    if any(_ROBOTS.match(address) for address in addresses(mail, "From")[:1]):
        return True
    return _SUBJECTS.match(header(mail, "Subject")) is not None
