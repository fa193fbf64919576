"""What a customer wrote, without what their mail program put below it: the quote and the signature.

It rather leaves too much than cuts a word of the customer's; whoever wants all has the whole.
"""

import re

_LONGEST_LINE = 1_000
"""Characters of a line that are compared with what mail programs write."""

_MOST_LINES = 5_000

# "On Mon, 23 Nov 2026 at 10:11, Clew <hello@air.example> wrote:", over one to three lines.
_WROTE = re.compile(
    r"""^\s*(
        on\s.{5,300}\swrote | am\s.{5,300}\s(schrieb|geschrieben).{0,200} | .{5,200}\sschrieb\s.{0,200}
      | le\s.{5,300}\sa\s[ée]crit | el\s.{5,300}\sescribi[óo] | il\s.{5,300}\sha\sscritto
      | op\s.{5,300}\sschreef.{0,200} | em\s.{5,300}\sescreveu
      | .{5,300}\s(napsal|napsala|napsal\(a\)|nap[ií]sal|nap[ií]sala|napisa[łl]|napisa[łl]\(a\))
      | \d{1,2}\.\s?\d{1,2}\.\s?\d{4}\sv\s\d{1,2}:\d{2},\s.{2,200}
    )\s?:\s*$""",
    re.IGNORECASE | re.VERBOSE,
)
_BEGINS = re.compile(
    r"^\s*(on|am|le|el|il|op|em|dne|d[ňn]a|po|út|st|čt|pá|so|ne|pon|wt|\d{1,2}\.)\s", re.IGNORECASE
)
_RULE = re.compile(r"^\s*(_{10,}|-{10,})\s*$")
_ORIGINAL = re.compile(
    r"^\s*-{2,}\s*(original message|original appointment|forwarded message|urspr[üu]ngliche nachricht"
    r"|weitergeleitete nachricht|message d.origine|message original|message transf[ée]r[ée]"
    r"|p[ůu]vodn[íi] (zpr[áa]va|e-?mail)|p[řr]eposlan[áa] zpr[áa]va"
    r"|mensaje original|mensaje reenviado|messaggio originale|oorspronkelijk bericht)\s*-{2,}\s*$",
    re.IGNORECASE,
)
_FROM = re.compile(r"^\s*\*?(from|von|de|od|da|van)\s?\*?\s?:\*?\s*\S.{0,300}$", re.IGNORECASE)
_OTHER_HEADER = re.compile(
    r"^\s*\*?(sent|date|to|cc|subject|gesendet|datum|an|betreff|envoy[ée]|objet|[àa]|odesl[áa]no"
    r"|komu|kopie|p[řr]edm[ěe]t|enviado( el)?|fecha|para|asunto|inviato|oggetto|verzonden|aan"
    r"|onderwerp)\s?\*?\s?:\*?(\s|$)",
    re.IGNORECASE,
)
_MOBILE = re.compile(
    r"^\s*[(\[]?\s*(sent from (my|a|the) .{2,40}|sent with .{2,40}|get outlook for .{2,20}"
    r"|von meinem .{2,40} gesendet|gesendet (mit|von) .{2,60}|diese nachricht wurde von meinem .{2,80}"
    r"|outlook f[üu]r (ios|android).{0,40}( herunterladen)?|holen sie sich outlook f[üu]r .{2,20}"
    r"|envoy[ée] (de|depuis|à partir de) (mon|ma) .{2,40}|envoy[ée] avec .{2,40}|obtenez outlook pour .{2,20}"
    r"|t[ée]l[ée]charger outlook pour .{2,20}|odesl[áa]no (z|ze|pomoc[íi]) .{2,60}|z[íi]skejte outlook pro .{2,20}"
    r"|st[áa]hnout outlook pro .{2,20}|enviado desde (mi|el|mis) .{2,40}|obtener outlook para .{2,20}"
    r"|inviato da(l mio)? .{2,40}|verzonden vanaf mijn .{2,40})\s*[)\]]?(\s*<https?://\S+>)?\s*\.?\s*$",
    re.IGNORECASE,
)
_SIGNATURE = re.compile(r"^(--|—|__) ?$")


def own_words(text: str) -> str:
    """The text without quoted mails, and without a signature that is marked as one."""
    whole = [line.rstrip() for line in text.split("\n")[:_MOST_LINES]]
    lines = [line[:_LONGEST_LINE] for line in whole]
    kept: list[str] = []
    at = 0
    while at < len(lines):
        if _quoted(lines[at]):
            at += 1
            continue
        height = _opens_quote(lines, at)
        if height == 0:
            kept.append(whole[at])
            at += 1
            continue
        behind = at + height
        if not _marked(lines, behind) and any(line.strip() for line in kept):
            break  # nothing marks where the quote ends: it goes to the end
        at = behind
    return _without_signature(kept)


def _quoted(line: str) -> bool:
    return line.lstrip().startswith(">")


def _marked(lines: list[str], at: int) -> bool:
    """Whether each line of the quote that begins here is marked with `>`."""
    following = next((line for line in lines[at:] if line.strip()), "")
    return _quoted(following)


def _opens_quote(lines: list[str], at: int) -> int:
    """How many lines from here say that a quote follows; 0 where they do not."""
    line = lines[at]
    if not line.strip():
        return 0
    if _ORIGINAL.match(line):
        return 1 + _headers(lines, at + 1)
    if _RULE.match(line) and (height := _headers(lines, at + 1)):
        return 1 + height
    if height := _headers(lines, at):
        return height
    if _WROTE.match(line):
        return 1
    if _BEGINS.match(line):
        for more in (2, 3):
            together = " ".join(part.strip() for part in lines[at : at + more])
            if len(together) <= 700 and _WROTE.match(together):
                return more
    return 0


def _headers(lines: list[str], at: int) -> int:
    """The height of a block such as From, Sent, To, Subject, as Outlook puts it above a quote."""
    begin = at
    while at < len(lines) and at - begin < 2 and not lines[at].strip():
        at += 1
    if at >= len(lines) or not _FROM.match(lines[at]):
        return 0
    end, found = at + 1, 0
    for place in range(at + 1, min(at + 9, len(lines))):
        if _OTHER_HEADER.match(lines[place]):
            found, end = found + 1, place + 1
        elif not lines[place].strip() and found >= 2:
            break
    return end - begin if found >= 2 else 0


def _without_signature(lines: list[str]) -> str:
    for at, line in enumerate(lines):
        if _SIGNATURE.match(line) and any(each.strip() for each in lines[:at]):
            lines = lines[:at]
            break
    while lines and (
        not lines[-1].strip() or _MOBILE.match(lines[-1][:_LONGEST_LINE]) or _RULE.match(lines[-1])
    ):
        lines = lines[:-1]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
