"""How a journey's picture looks: its colours by day and by night, and a sign for each kind of step."""

_DAY = {
    "ground": "#f3f1ec", "band": "#faf8f4", "card": "#fffefb", "edge": "#ddd7ca", "ink": "#17202a",
    "quiet": "#5b6673", "line": "#8b95a0", "thread": "#b3261e", "message": "#2468b4", "wait": "#8a6a1f",
    "staff": "#6a3fc0", "choice": "#a85a00", "goal": "#12805c", "on-goal": "#ffffff",
}  # fmt: skip
_NIGHT = {
    "ground": "#0c1219", "band": "#111923", "card": "#18232f", "edge": "#2a3a4b", "ink": "#e8edf2",
    "quiet": "#9dacbb", "line": "#66788a", "thread": "#ff7a6b", "message": "#6db3ff", "wait": "#e3c26f",
    "staff": "#b79bff", "choice": "#ffb347", "goal": "#3fd0a0", "on-goal": "#06231a",
}  # fmt: skip

_FAMILIES = {
    "send": "message",
    "wait": "wait",
    "promise": "wait",
    "show": "message",
    "ask": "message",
    "offer": "message",
    "handoff": "staff",
    "choose": "choice",
    "split": "choice",
    "repeat": "choice",
    "for_each": "choice",
    "parallel": "choice",
    "go": "thread",
    "enter": "touch",
    "exit": "touch",
    "whenever": "touch",
    "at_exit": "touch",
}


def families(kind: str) -> str:
    """The colour that a kind of node has; a kind that is not known here has a quiet one."""
    return _FAMILIES.get(kind, "plain")


def _colours(of: dict[str, str]) -> str:
    return "svg{" + "".join(f"--{name}:{colour};" for name, colour in of.items()) + "}"


def _tinted(names: tuple[str, ...]) -> str:
    return "".join(f".{name} .icon{{stroke:var(--{name})}}" for name in names)


STYLE = (
    _colours(_DAY)
    + "@media (prefers-color-scheme:dark){"
    + _colours(_NIGHT)
    + "}"
    + 'text{font-family:ui-sans-serif,system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}'
    + ".ground{fill:var(--ground)}.ink,.title{fill:var(--ink)}.quiet{fill:var(--quiet)}"
    + ".band{fill:var(--band);stroke:var(--edge)}.band.reaction,.band.ending{stroke-dasharray:6 5}"
    + ".face{fill:var(--card);stroke:var(--edge);stroke-width:1.2}"
    + ".icon{fill:none;stroke:var(--quiet);stroke-width:1.6;stroke-linecap:round;stroke-linejoin:round}"
    + _tinted(("message", "wait", "staff", "choice", "thread"))
    + ".staff .face{stroke:var(--staff)}.thread .face{stroke:var(--thread)}"
    + ".touch .face{stroke:var(--ink)}.touch .icon{stroke:var(--ink)}"
    + ".goal .face{fill:var(--goal);stroke:var(--goal)}.goal .icon{stroke:var(--on-goal)}"
    + ".goal .ink,.goal .quiet{fill:var(--on-goal)}"
    + ".figure{fill:var(--message)}.friction{fill:var(--thread)}.marked .face{stroke:var(--thread);stroke-width:2.4}"
    + ".goal .figure,.goal .friction{fill:var(--on-goal)}"
    + ".chip{fill:var(--band)}.chip-ink{fill:var(--quiet)}.dot{fill:var(--line)}"
    + ".line{fill:none;stroke:var(--line);stroke-width:1.6}.line.round{stroke-dasharray:4 4}"
    + ".line.go{stroke:var(--thread)}.arrow{fill:var(--line)}.arrow.go{fill:var(--thread)}"
)

_PATHS = {
    "step": "M3 3h12v12h-12z",
    "enter": "M2 9h9M8 5.5l3.5 3.5-3.5 3.5M11 2.5h3.5v13h-3.5",
    "exit": "M7 9h9M12.5 5.5l3.5 3.5-3.5 3.5M8 2.5h-5v13h5",
    "whenever": "M10 1.5l-6 8.5h4.5l-1 6.5 6.5-9h-4.5z",
    "send": "M1.5 4h15v10.5h-15zM1.5 4.5l7.5 6 7.5-6",
    "wait": "M9 1.8a7.2 7.2 0 1 0 .01 0zM9 5v4.2l3 1.8",
    "promise": "M9 1.5l6.5 2.2v5c0 4-2.8 6.6-6.5 7.8-3.7-1.2-6.5-3.8-6.5-7.8v-5zM6 9l2.2 2.2 4-4.2",
    "handoff": "M9 2a3.2 3.2 0 1 0 .01 0zM2.5 16.2c.5-4 3-6 6.5-6s6 2 6.5 6",
    "choose": "M9 1.5l7.5 7.5-7.5 7.5-7.5-7.5z",
    "split": "M9 16.5v-6M9 10.5c0-4-6-3-6-8M9 10.5c0-4 6-3 6-8M1.5 4l1.5-2 1.7 1.8M13.3 3.8l1.7-1.8 1.5 2",
    "repeat": "M15.5 7a6.8 6.8 0 1 0 .3 3.5M16 2.5v4.7h-4.7",
    "for_each": "M2 6.5l7-4 7 4-7 4zM2 10l7 4 7-4M2 13l7 4 7-4",
    "parallel": "M5 2v14M9 2v14M13 2v14",
    "set": "M11.5 3l3.5 3.5-9 9-4.5 1 1-4.5z",
    "go": "M2 9h13M10.5 4.5l4.5 4.5-4.5 4.5",
    "finish": "M4 16.5v-14.5h10.5l-2.5 3.7 2.5 3.8h-10.5",
    "ask": "M2 3h14v9.5h-8l-4 3.5v-3.5h-2zM7 6.3c.3-1.6 4-1.6 4 .2 0 1.2-2 1.2-2 2.5M9 10.7v.1",
    "offer": "M1.5 5h15v2.5a1.7 1.7 0 0 0 0 3.4v2.6h-15v-2.6a1.7 1.7 0 0 0 0-3.4zM6.5 5v8.5",
    "show": "M1.5 3h15v9.5h-15zM6 15.5h6M9 12.5v3",
    "call": "M6.5 5.5l-4.5 3.5 4.5 3.5M11.5 5.5l4.5 3.5-4.5 3.5",
    "run": "M2 3h6v6h-6zM10 9.5h6v6h-6zM5 9v3.5h5",
    "at_exit": "M4 16.5v-14.5h10.5l-2.5 3.7 2.5 3.8h-10.5",
    "goal": "M9 1.8l2.2 4.7 5.1.6-3.8 3.5 1 5.1-4.5-2.5-4.5 2.5 1-5.1-3.8-3.5 5.1-.6z",
}
ICONS = {kind: f'<path d="{path}"/>' for kind, path in _PATHS.items()}
"""Signs by kind, drawn with a line on 18 × 18."""
