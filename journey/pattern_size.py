"""How large the automaton of a pattern is: what `matches` takes for each character, and to begin at all.

The engine's patterns are RE2's (https://github.com/google/re2/wiki/Syntax), which never go back, so
that time is at most states × characters. But a counted repetition is written out: `((.{30}){30})`
has 900 states.
"""

import re

_CLASS_STATES, _WIDE_CLASS_STATES, _SCRIPT_STATES = 2, 10, 200
"""Of any one sign, of a class beyond ASCII or without regard to case, of a class of Unicode such as Greek."""
_SCRIPT = r"\\[pP](?:\{\^?\w+\}|\w)"
_TOKEN = re.compile(
    rf"(?P<script>{_SCRIPT})|(?P<any>\\.|[.])|(?P<open>\((?:\?[^:)>]*[:>)])?)|(?P<close>\))"
    r"|(?P<class>\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]?)"
    r"|(?P<count>\{(?P<least>\d{1,6})(?:,(?P<most>\d{0,6}))?\})|(?P<sign>.)",
    re.DOTALL,
)


def states(pattern: str) -> int:
    """An upper bound of its states, as near as a bound of time and memory needs."""
    wide = "(?" in pattern or not pattern.isascii()
    class_states = _WIDE_CLASS_STATES if wide else _CLASS_STATES
    groups, last = [0], 0
    for token in _TOKEN.finditer(pattern):
        match token.lastgroup:
            case "open" if not token["open"].endswith(")"):
                groups.append(0)
                continue
            case "count":
                times = max(int(token["least"]), int(token["most"] or 0), 1)
                groups[-1] += last * (times - 1)
                last *= times
                continue
            case "close" if len(groups) > 1:
                last = groups.pop() + 1
            case "script":
                last = _SCRIPT_STATES
            case "class":
                scripts = re.findall(_SCRIPT, token["class"])
                last = class_states + len(scripts) * _SCRIPT_STATES
            case "any":
                last = class_states
            case _:
                last = 1
        groups[-1] += last
    return sum(groups)
