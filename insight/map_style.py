"""How a customer-journey map looks by day and by night, and a sign for each row."""

from insight.map_parts import FEELING, ROWS, CardKind

_DAY = {
    "ground": "#f3f1ec", "band": "#faf8f4", "card": "#fffefb", "edge": "#ddd7ca", "ink": "#17202a",
    "quiet": "#55606c", "line": "#8b95a0", "stage": "#26415f", "on-stage": "#ffffff", "begin": "#5b6f86",
    "goal": "#12805c", "on-goal": "#ffffff", "mood": "#b3261e", "message": "#2468b4", "promise": "#9a6b00",
    "staff": "#6a3fc0", "system": "#5b6f86", "missing": "#b3261e", "chip": "#ebe6db",
}  # fmt: skip
_NIGHT = {
    "ground": "#0c1219", "band": "#111923", "card": "#18232f", "edge": "#2a3a4b", "ink": "#e8edf2",
    "quiet": "#a3b1bf", "line": "#66788a", "stage": "#9cc2ee", "on-stage": "#0b1a2a", "begin": "#8ba0b6",
    "goal": "#3fd0a0", "on-goal": "#06231a", "mood": "#ff7a6b", "message": "#6db3ff", "promise": "#e3b94f",
    "staff": "#b79bff", "system": "#8ba0b6", "missing": "#ff7a6b", "chip": "#24313f",
}  # fmt: skip

COLOURS: dict[CardKind, str] = {
    "touchpoint": "stage",
    "message": "message",
    "promise": "promise",
    "staff": "staff",
    "system": "system",
    "data": "line",
    "outcome": "line",
    "goal": "goal",
}
"""The colour that the edge of a card has, by what it is."""


def _colours(of: dict[str, str]) -> str:
    return "svg{" + "".join(f"--{name}:{colour};" for name, colour in of.items()) + "}"


def _fills() -> str:
    return "".join(f".f-{name}{{fill:var(--{name})}}" for name in _DAY)


STYLE = (
    _colours(_DAY)
    + "@media (prefers-color-scheme:dark){"
    + _colours(_NIGHT)
    + "}"
    + _fills()
    + 'text{font-family:ui-sans-serif,system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}'
    + ".band{fill:var(--band);stroke:var(--edge)}"
    + ".card{fill:var(--card);stroke:var(--edge);stroke-width:1.1}"
    + ".anytime{fill:none;stroke:var(--begin);stroke-width:1.5;stroke-dasharray:6 5}"
    + ".icon{fill:none;stroke:var(--quiet);stroke-width:1.6;stroke-linecap:round;stroke-linejoin:round}"
    + ".middle{stroke:var(--edge);stroke-width:1.4;stroke-dasharray:2 6;stroke-linecap:round}"
    + ".seen{stroke:var(--quiet);stroke-width:1.4;stroke-dasharray:9 6}"
    + ".over{stroke:var(--ground);stroke-width:10;stroke-linejoin:round;paint-order:stroke}"
    + ".curve{fill:none;stroke:var(--mood);stroke-width:3;stroke-linecap:round}"
    + ".felt{fill:var(--mood);stroke:var(--band);stroke-width:2}"
    + ".beside{fill:var(--band);stroke:var(--mood);stroke-width:2}"
    + ".unknown{fill:var(--band);stroke:var(--line);stroke-width:2;stroke-dasharray:2 2}"
    + ".word{fill:var(--ink);stroke:var(--band);stroke-width:4;stroke-linejoin:round;paint-order:stroke}"
)

_PATHS = {
    ROWS["customer"]: "M9 2a3.2 3.2 0 1 0 .01 0zM2.5 16.2c.5-4 3-6 6.5-6s6 2 6.5 6",
    FEELING: "M9 15.5c-9-5.5-7-12.5-2.6-12.5 1.5 0 2.6 1.5 2.6 2.4 0-.9 1.1-2.4 2.6-2.4 4.4 0 6.4 7-2.6 12.5z",
    ROWS["front"]: "M1.5 4h15v10.5h-15zM1.5 4.5l7.5 6 7.5-6",
    ROWS[
        "staff"
    ]: "M6 3.2a2.5 2.5 0 1 0 .01 0zM1.5 15c.3-3 2-4.6 4.5-4.6s4.2 1.6 4.5 4.6M12.3 4a2.2 "
    "2.2 0 1 0 .01 0M12.8 10.4c2.2.1 3.5 1.7 3.7 4.3",
    ROWS[
        "data"
    ]: "M2.5 4.5a6.5 2.3 0 1 0 13 0a6.5 2.3 0 1 0-13 0M2.5 4.5v9c0 3 13 3 13 0v-9M2.5 9c0 3 13 3 13 0",
    ROWS["measures"]: "M2 16h14M4 13v-4M8 13v-9M12 13v-6",
}
ICONS = {title: f'<path d="{path}"/>' for title, path in _PATHS.items()}
"""Signs by the title of a row, drawn with a line on 18 × 18."""

STAR = "M9 1.8l2.2 4.7 5.1.6-3.8 3.5 1 5.1-4.5-2.5-4.5 2.5 1-5.1-3.8-3.5 5.1-.6z"
PERSON = "M9 2a3.2 3.2 0 1 0 .01 0zM2.5 16.2c.5-4 3-6 6.5-6s6 2 6.5 6"
