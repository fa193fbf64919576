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
:root { color-scheme: light dark; font: 1.05rem/1.5 system-ui, sans-serif; }
main { max-width: 34rem; margin: 2rem auto; padding: 0 1rem; }
fieldset { border: 0; padding: 0; margin: 1rem 0; }
legend { font-weight: 600; padding: 0; margin-bottom: .5rem; }
.scale { display: flex; flex-wrap: wrap; gap: .4rem; }
.scale label { border: 1px solid; border-radius: .5rem; min-width: 2.75rem; min-height: 2.75rem;
  display: inline-flex; align-items: center; justify-content: center; gap: .2rem; padding: 0 .4rem; }
.scale label:has(:checked) { outline: 3px solid Highlight; font-weight: 700; }
.ends { display: flex; justify-content: space-between; font-size: .9rem; }
textarea { width: 100%; min-height: 7rem; font: inherit; box-sizing: border-box; }
button { font: inherit; padding: .7rem 1.4rem; border-radius: .5rem; border: 1px solid; cursor: pointer; }
"""


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
