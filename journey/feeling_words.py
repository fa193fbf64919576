"""How well a customer feels, from one word: where it stands on the curve of a map."""

MIDDLE = 0.0

_WORDS = {
    1.0: "delighted enthusiastic excited grateful happy joyful proud thrilled",
    0.75: "confident content glad looking-forward pleased relieved reassured safe satisfied thankful trusting valued",
    0.5: "at-ease at-home calm comfortable determined eager expectant hopeful interested looked-after optimistic "
    "settled taken-seriously",
    0.25: "amused attentive curious decided fresh patient ready surprised thoughtful understood",
    0.0: "indifferent neutral resigned unaware undecided",
    -0.25: "busy cautious doubtful hesitant hesitating hurried impatient sceptical tired uneasy unsure waiting wary",
    -0.5: "anxious bored confused embarrassed guilty insecure lonely lost nervous overwhelmed pressed sad sorry "
    "stressed stuck suspicious tense uncertain worried",
    -0.75: "afraid alarmed annoyed disappointed frustrated helpless hurt ignored irritated misunderstood scared "
    "unhappy upset",
    -1.0: "angry betrayed desperate devastated furious humiliated outraged panicked",
}
_VALENCES = {word: valence for valence, words in _WORDS.items() for word in words.split()}


def valence(word: str) -> float | None:
    """How well one feels: from -1, as badly as can be, to 1, as well as can be; None for a word not known here."""
    return _VALENCES.get("-".join(word.lower().split()))


def level(word: str) -> str:
    """The same in words, for those who do not see the curve."""
    known = valence(word)
    if known is None:
        return "somewhere in the middle"
    if known == 0:
        return "in the middle"
    size = "very " if abs(known) == 1 else "" if abs(known) >= 0.5 else "rather "
    return f"{size}{'high' if known > 0 else 'low'}"
