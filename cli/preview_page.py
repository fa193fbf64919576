"""A message as it is read on a desk and on a phone, side by side on one page."""

from collections.abc import Mapping
from html import escape

from activities.message_text import MessageInWords

PHONE, DESK = 390, 760
"""Pixels: a usual phone, and the reading pane of a mail program."""

GAP = 32

_CHANNELS: Mapping[str, str] = {"sms": "text message", "email": "e-mail"}

# A frame cannot run what the message brings along; the page itself measures how tall each one is.
_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Preview</title><style>
body {{ margin: 0; padding: 32px; background: #eef0f3; font: 15px/1.45 system-ui, sans-serif; color: #1d2430 }}
header {{ margin-bottom: 20px }} h1 {{ font-size: 19px; margin: 0 0 4px }} p {{ margin: 0; color: #556 }}
.sides {{ display: flex; gap: 32px; align-items: flex-start }}
figure {{ margin: 0 }} figcaption {{ color: #556; margin-bottom: 6px }}
iframe {{ border: 0; background: #fff; border-radius: 10px; box-shadow: 0 1px 5px #0003; display: block }}
.bubble {{ width: {bubble}px; background: #fff; border-radius: 18px; padding: 14px 18px; white-space: pre-wrap;
  overflow-wrap: anywhere; box-shadow: 0 1px 5px #0003 }}
.bubble strong {{ display: block; margin-bottom: 4px }}
</style></head><body>
<header><h1>{subject}</h1><p>{about}</p></header>
<div class="sides">{sides}</div>
<script>
addEventListener("load", () => {{
  for (const frame of document.querySelectorAll("iframe"))
    frame.style.height = frame.contentDocument.documentElement.scrollHeight + "px";
  document.body.dataset.height = Math.ceil(document.body.getBoundingClientRect().height);
}});
</script></body></html>
"""


def width_of(words: MessageInWords) -> int:
    """How wide its page is."""
    return PHONE + 2 * GAP if words.html is None else DESK + PHONE + 3 * GAP


def preview_page(words: MessageInWords, channel: str, to: str) -> str:
    """The page: a mail at both widths, anything else as a text on a phone."""
    about = f"{_CHANNELS.get(channel, channel)} to {to} · {words.chosen}"
    about += "".join(f" · with {file.name}" for file in words.attachments)
    if words.html is not None:
        sides = _frame("Desk", DESK, words.html) + _frame("Phone", PHONE, words.html)
    else:
        title = f"<strong>{escape(words.subject)}</strong>" if words.subject else ""
        bubble = f'<div class="bubble">{title}{escape(words.text.strip())}</div>'
        sides = f"<figure><figcaption>Phone</figcaption>{bubble}</figure>"
    return _PAGE.format(
        subject=escape(words.subject or words.chosen),
        about=escape(about),
        sides=sides,
        bubble=PHONE - 80,
    )


def _frame(name: str, width: int, html: str) -> str:
    return (
        f'<figure><figcaption>{name}, {width} px</figcaption><iframe width="{width}" height="1"'
        f' sandbox="allow-same-origin" title="{name}" srcdoc="{escape(html)}"></iframe></figure>'
    )
