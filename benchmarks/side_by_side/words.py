"""Numbers as they are told on the page and in its pictures."""


def number(value: float) -> str:
    """As many digits as mean something."""
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
