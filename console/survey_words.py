"""Figures of surveys in words: what they are called, how they are made, how sure they are."""

from insight.survey_figures import Estimate, Said, SurveyFigure
from journey.survey import SurveyKind

KINDS: dict[SurveyKind, str] = {
    "nps": "Net Promoter Score",
    "csat": "Customer satisfaction",
    "ces": "Customer Effort Score 2.0",
    "choice": "One of several choices",
    "text": "In words",
}
FORMULAS: dict[SurveyKind, str] = {
    "nps": "% who gave 9 or 10, less % who gave 0 to 6 (Reichheld 2003), in points from −100 to +100. The range holds"
    " 19 times in 20: it is made from the variance of the three values +1, 0 and −1.",
    "csat": "% who gave 4 or 5 of 5. The range holds 19 times in 20 (Wilson).",
    "ces": "The mean of what was given, from 1 (hard) to 7 (easy). The range holds 19 times in 20: it is made from the"
    " variance of what was given.",
    "choice": "% who chose each. The ranges hold 19 times in 20 (Wilson).",
    "text": "How many wrote.",
}
GROUPS: dict[SurveyKind, tuple[tuple[str, str, str], ...]] = {
    "nps": (
        ("promoter", "promoters", "high"),
        ("passive", "passives", "middle"),
        ("detractor", "detractors", "low"),
    ),
    "csat": (
        ("satisfied", "satisfied", "high"),
        ("neutral", "neutral", "middle"),
        ("dissatisfied", "dissatisfied", "low"),
    ),
    "ces": (("easy", "easy", "high"), ("neutral", "neutral", "middle"), ("hard", "hard", "low")),
    "choice": (),
    "text": (),
}
"""Of each kind: the name of a group, in words, and whether it is the good end of the scale."""

_MINUS = "\u2212"


def value_in_words(kind: SurveyKind, value: float) -> str:
    """`+20`, `80 %`, `5.8`."""
    match kind:
        case "nps":
            return f"{round(value):+d}".replace("-", _MINUS) if round(value) else "0"
        case "ces":
            return f"{value:.1f}"
        case "csat" | "choice" | "text":
            return f"{100 * value:.0f} %"


def range_in_words(kind: SurveyKind, estimate: Estimate) -> str:
    """`−34 to +74`; '' where nothing can be said."""
    if estimate.low is None or estimate.high is None:
        return ""
    return f"{value_in_words(kind, estimate.low)} to {value_in_words(kind, estimate.high)}"


def figure_in_words(figure: SurveyFigure) -> dict[str, str]:
    """The figure itself, its range, and what is to be known of it."""
    if figure.estimate is None:
        return {"value": "–", "range": "", "note": ""}
    told = range_in_words(figure.kind, figure.estimate)
    note = "" if told else "all gave the same: no range"
    if told and figure.rough:
        note = "fewer than 30 answers: the range is rough"
    return {
        "value": value_in_words(figure.kind, figure.estimate.value),
        "range": told,
        "note": note,
    }


def said_of(kind: SurveyKind, score: float | None, choice: str | None) -> Said:
    """What was said, as figures count it; a score of no whole number is a stray."""
    if kind == "text":
        return ""
    if kind == "choice":
        return choice or ""
    return -1 if score is None or score != int(score) else int(score)
