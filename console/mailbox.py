"""The local mailbox in the browser: what customers would have got, readable, shown as text."""

from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import FileResponse, HTMLResponse
from jinja2 import Environment, FileSystemLoader, select_autoescape

from channels.mail_store import MailStore, ReceivedMail

PAGE = 100
_FOLDER = Path(__file__).parent
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self';"
    " frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_SHOWN = (
    "From",
    "To",
    "Reply-To",
    "Date",
    "Subject",
    "Message-ID",
    "In-Reply-To",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
)


def mailbox_router(store: MailStore) -> APIRouter:
    """Pages under `/mailbox`: the mails, newest first, and one mail."""
    router = APIRouter(prefix="/mailbox", tags=["mailbox"], include_in_schema=False)
    pages = Environment(
        loader=FileSystemLoader(_FOLDER / "templates"), autoescape=select_autoescape()
    )
    pages.filters["quoted"] = _quoted

    @router.get("/mailbox.css")
    def style() -> FileResponse:
        return FileResponse(_FOLDER / "templates" / "mailbox.css", media_type="text/css")

    @router.get("", response_class=HTMLResponse)
    def mails(to: str = "", page: int = Query(default=1, ge=1, le=100_000)) -> HTMLResponse:
        sought = to.strip().lower()
        found = [mail for mail in store.received() if sought in mail.to.lower()][::-1]
        shown = found[(page - 1) * PAGE : page * PAGE]
        return _page(
            pages,
            "mailbox.html",
            {
                "mails": [_row(mail) for mail in shown],
                "total": len(found),
                "to": to,
                "page": page,
                "last": max(1, -(-len(found) // PAGE)),
            },
        )

    @router.get("/{name}", response_class=HTMLResponse)
    def one_mail(name: str) -> HTMLResponse:
        found = store.find(name)
        if found is None:
            raise HTTPException(404, f"there is no mail {name[:80]}")
        mail = store.open_mail(found)
        headers = [(header, str(mail[header])) for header in _SHOWN if mail[header]]
        return _page(
            pages,
            "mail.html",
            {"subject": found.subject, "headers": headers, "texts": _texts(mail)},
        )

    return router


def _quoted(text: str) -> str:
    return quote(text, safe="")


def _row(mail: ReceivedMail) -> dict[str, str]:
    received = datetime.fromisoformat(mail.received_at)
    return {
        "name": mail.name,
        "to": mail.to,
        "subject": mail.subject or "(no subject)",
        "at": f"{received:%Y-%m-%d %H:%M:%S}",
    }


def _texts(mail: EmailMessage) -> list[tuple[str, str]]:
    """Every readable part with its type; markup is shown as its source, never run."""
    parts = (part for part in mail.walk() if part.get_content_maintype() == "text")
    return [(part.get_content_type(), str(part.get_content())) for part in parts]


def _page(pages: Environment, template: str, values: dict[str, Any]) -> HTMLResponse:
    return HTMLResponse(pages.get_template(template).render(values), headers=_HEADERS)
