"""Templates that would eat the machine; as a program it renders each in a process of its own."""

from datetime import UTC, datetime

from activities.message_text import MessageCannotRenderError
from channels.liquid_text import LiquidText
from tests.unit.bomb_limits import set_off

NOW = datetime(2013, 2, 8, tzinfo=UTC)
VALUES: dict[str, object] = {"big": "x" * 9_000, "z": False}

BOMBS = {
    "a huge range joined": "{{ (1..50000000) | join }}",
    "a huge range sorted": "{{ (1..50000000) | sort | last }}",
    "a huge range walked": "{% for i in (1..50000000) %}x{% endfor %}",
    "a huge range assigned": "{% assign r = (1..50000000) %}{% if r contains 'a' %}{% endif %}",
    "a huge range asked": "{% if (1..900000000) contains 'a' %}x{% endif %}",
    "a huge range asked in lines": "{% liquid\nif (1..900000000)\n contains 'a'\nendif %}",
    "a huge range from behind": "{% for i in (1..50000000) reversed %}x{% endfor %}",
    "a huge range from its middle": "{% for i in (1..9000000000) limit: 1 offset: 8999999999 %}x{% endfor %}",
    "chained replace": "{{ 'aaaaaaaaaa'" + " | replace: 'a', 'aaaaaaaaaa'" * 8 + " }}",
    "doubling append": "{% assign a = 'x' %}" + "{% assign a = a | append: a %}" * 40,
    "doubling capture": "{% assign a = 'x' %}"
    + "{% capture a %}{{ a }}{{ a }}{% endcapture %}" * 40,
    "doubling concat": "{% assign a = 'a,b' | split: ',' %}"
    + "{% assign a = a | concat: a %}" * 40,
    "many big lists printed": "{% assign s = 'x' %}" + "{% assign s = s | append: s %}" * 17
    + "{% assign a = s | split: '|' %}" + "{% assign a = a | concat: a %}" * 13 + "{{ a }}",
    "nested loops": "{% for a in (1..900) %}{% for b in (1..900) %}x{% endfor %}{% endfor %}",
    "loops after loops": "{% for a in (1..1000) %}{{ a }}{% endfor %}" * 900,
    "a heavy body": "{% for a in (1..2000) %}" + "{% assign b = a %}" * 1500 + "{% endfor %}",
    "a heavy condition": "{% for a in (1..2000) %}{% if "
    + "z or " * 900 + "z %}{% endif %}{% endfor %}",
    "many splits": "{% for a in (1..2000) %}{% assign b = big | split: '' %}{% endfor %}",
    "a big number": "{% assign n = 9 %}" + "{% assign n = n | times: n %}" * 60,
    "deep blocks": "{% if true %}" * 2000 + "{% endif %}" * 2000,
    "deep indexes": "{{ " + "a[" * 3000 + "1" + "]" * 3000 + " }}",
    "too many outputs": "{{a}}" * 19_000,
    "a huge template": "x" * 2_000_000,
    "a block that puts itself in": "{% render 'self' %}",
    "blocks that double": "{% render 'double-0' %}",
    "blocks of fifty blocks": "{% render 'fifty-0' %}",
    "a block for each of many": "{% for i in (1..2000) %}{% render 'loop' %}{% endfor %}",
    "a block for each of a list": "{% assign a = big | split: '' %}{% render 'loop' for a as b %}",
    "a wide date": "{{ now | date: '%-999999999d' }}",
}  # fmt: skip

BLOCKS = {
    "self": "{% render 'self' %}",
    **{f"double-{n}": f"{{% render 'double-{n + 1}' %}}" * 2 for n in range(17)},
    "double-17": "x",
    **{f"fifty-{n}": f"{{% render 'fifty-{n + 1}' %}}" * 50 for n in range(6)},
    "fifty-6": "x",
    "loop": "{% for i in (1..900) %}{{ i }}{% endfor %}",
}


def ignite(name: str) -> str:
    """Render one: whether there was a text."""
    try:
        LiquidText().render(BOMBS[name], VALUES, NOW, blocks=BLOCKS)
    except MessageCannotRenderError:
        return "refused"
    return "rendered"


if __name__ == "__main__":
    LiquidText().render("{{ 1 | plus: 1 }}", {}, NOW)
    set_off(BOMBS, ignite)
