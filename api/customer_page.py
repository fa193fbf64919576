"""How customers' own pages look and what they forbid: no login, no script, no trace elsewhere."""

from html import escape

from fastapi.responses import HTMLResponse

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self';"
    " frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
    "X-Content-Type-Options": "nosniff",
}

_STYLE = """
:root { color-scheme: light dark; font: 1.0625rem/1.5 system-ui, sans-serif; --ground: #f3f1ec;
  --card: #fffefb; --edge: #8b95a0; --ink: #17202a; --quiet: #55606c; --chosen: #1d5799; --on-chosen: #fff; }
@media (prefers-color-scheme: dark) { :root { --ground: #0c1219; --card: #18232f; --edge: #66788a;
  --ink: #e8edf2; --quiet: #a3b1bf; --chosen: #9cc2ee; --on-chosen: #0b1a2a; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); overflow-wrap: anywhere; }
main { max-width: 36rem; margin: 0 auto; padding: 2rem 1rem 3rem; }
h1 { font-size: 1.5rem; line-height: 1.3; margin: 0 0 1.5rem; }
fieldset { border: 0; padding: 0; margin: 0 0 1.75rem; min-width: 0; }
legend, .words { display: block; padding: 0; margin: 0 0 .5rem; color: var(--quiet); }
.scale { display: grid; gap: .5rem; grid-template-columns: repeat(var(--columns), minmax(0, 1fr)); }
.scale label { position: relative; display: flex; }
.scale input { position: absolute; inset: 0; width: 100%; height: 100%; margin: 0; opacity: 0; cursor: pointer; }
.scale span { flex: 1; display: flex; align-items: center; justify-content: center; min-height: 3rem;
  padding: .5rem; border: 1px solid var(--edge); border-radius: .6rem; background: var(--card); }
.scale.in-words span { justify-content: flex-start; padding: .5rem 1rem; }
.scale input:hover + span { border-color: var(--ink); }
.scale input:checked + span { background: var(--chosen); border-color: var(--chosen);
  color: var(--on-chosen); font-weight: 700; }
.scale input:focus-visible + span, textarea:focus-visible, button:focus-visible {
  outline: 3px solid var(--chosen); outline-offset: 3px; }
.ends { display: flex; justify-content: space-between; gap: 1.5rem; margin-top: .5rem; color: var(--quiet); }
.ends :last-child { text-align: right; }
textarea { display: block; width: 100%; min-height: 8rem; padding: .75rem; font: inherit; color: inherit;
  background: var(--card); border: 1px solid var(--edge); border-radius: .6rem; margin: 0 0 1.75rem; }
button { font: inherit; font-weight: 700; width: 100%; min-height: 3.25rem; padding: .75rem 1.5rem; border: 0;
  border-radius: .6rem; background: var(--chosen); color: var(--on-chosen); cursor: pointer; }
[role=alert] { border-left: .3rem solid currentcolor; padding-left: .75rem; margin: 0 0 1.25rem; font-weight: 700; }
@media (min-width: 36rem) { main { padding-top: 4rem; } button { width: auto; min-width: 10rem; }
  .scale.of-11 { --columns: 11 !important; gap: .3rem; } .scale.of-11 span { padding: .25rem; } }
@media (forced-colors: active) { .scale input:checked + span { outline: 4px solid Highlight; } }
"""
"""Its targets are 48 pixels high, and three pixels of light show where the keyboard is."""


def customer_page(title: str, body: str, *, status: int = 200) -> HTMLResponse:
    """A page. `title` is text; `body` is HTML, in which everything foreign was escaped."""
    title = escape(title)
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{title}</h1>{body}</main></body></html>"
    )
    return HTMLResponse(page, status_code=status, headers=_HEADERS)


def invalid_link(error: Exception) -> HTMLResponse:
    """The page for a link that does not work."""
    words = (
        f"<p>Sorry, {escape(str(error))}."
        " Use the link in the message as it is, or answer the message.</p>"
    )
    return customer_page("This link does not work", words, status=404)
