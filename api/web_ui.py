"""Temporal's Web UI behind our sign-in: passed on as it is, and on each of its pages a bar by which one signs out.

The Web UI knows nobody, so it is reached by us alone. Whoever may read histories may look; what changes a run is
for operators, and is written down.
"""

from collections.abc import Callable
from html import escape

import httpx2 as httpx
import structlog
from starlette.requests import Request
from starlette.responses import Response

from api.refusals import RefusedRequestError
from api.request_body import read_body
from journey.staff_roles import READS, Role

LARGEST = 4 * 1024 * 1024
TIMEOUT = httpx.Timeout(120, connect=5)
CHANGES: Role = "operator"

STYLE = """
#clew-signed-in { position: fixed; right: 1rem; bottom: 1rem; z-index: 2147483647; display: flex; gap: .75rem;
  align-items: center; font: 14px/1.4 system-ui, sans-serif; margin: 0; padding: .4rem .5rem .4rem .9rem;
  border-radius: .6rem; background: #fff; color: #17202a; border: 1px solid #7f8994; box-shadow: 0 .25rem 1rem #0003; }
#clew-signed-in a { color: #1d5799; }
#clew-signed-in button { font: inherit; font-weight: 600; cursor: pointer; padding: .4rem .8rem; min-height: 2.5rem;
  border: 1px solid #1d5799; border-radius: .5rem; background: #1d5799; color: #fff; }
#clew-signed-in :focus-visible { outline: 3px solid #1d5799; outline-offset: 2px; }
"""

_BAR = """<link rel="stylesheet" href="/signed-in.css">
<form id="clew-signed-in" method="post" action="/sign-out" aria-label="Signed in">
<span>{name}</span> <a href="{sessions}">Where you are signed in</a> <button>Sign out</button></form>"""

_HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer",
     "transfer-encoding", "upgrade"}
)  # fmt: skip
_NOT_SENT = _HOP_BY_HOP | {
    "host", "cookie", "authorization", "accept-encoding", "content-length", "content-encoding", "origin",
    "referer", "forwarded", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "expect",
}  # fmt: skip
_NOT_ANSWERED = _HOP_BY_HOP | {
    "content-length", "content-encoding", "x-frame-options", "strict-transport-security", "date", "server",
}  # fmt: skip
_log = structlog.get_logger(__name__)


class WebUi:
    """One Web UI. `address`: where it is, seen from here; `sessions`: where staff see their sessions."""

    def __init__(
        self,
        address: str,
        sessions: str,
        client: Callable[[], httpx.AsyncClient] = lambda: httpx.AsyncClient(timeout=TIMEOUT),
    ) -> None:
        self._address, self._sessions = address.rstrip("/"), sessions
        self._client = client

    async def answer(self, request: Request, name: str, ours: str) -> Response:
        """What it says to this request of whoever is called so. `ours`: the cookie that it does not get.

        Raises: `RefusedRequestError` 400, 413, or 502 where it does not answer.
        """
        body = await read_body(request, LARGEST)
        path = request.scope.get("raw_path", b"").decode("latin-1") or request.url.path
        if not path.startswith("/"):
            raise RefusedRequestError(400, "bad_path", "a path begins with /")
        asked = self._address + path.partition("?")[0]
        headers = {
            named: value for named, value in request.headers.items() if named not in _NOT_SENT
        } | {"accept-encoding": "identity"}
        kept = "; ".join(f"{each}={text}" for each, text in request.cookies.items() if each != ours)
        if kept:
            headers["cookie"] = kept
        url = httpx.URL(asked, query=request.url.query.encode() or None)
        try:
            async with self._client() as client:
                said = await client.request(
                    request.method,
                    url,
                    headers=headers,
                    content=body or None,
                    follow_redirects=False,
                )
        except httpx.HTTPError as error:
            _log.warning("web_ui_away", error=f"{type(error).__name__}: {str(error)[:200]}")
            raise RefusedRequestError(502, "web_ui_away", "the Web UI does not answer") from None
        return self._passed_on(said, name)

    def _passed_on(self, said: httpx.Response, name: str) -> Response:
        content, kept_out = said.content, _NOT_ANSWERED
        if said.headers.get("content-type", "").startswith("text/html"):
            content, kept_out = self._with_bar(content, name), _NOT_ANSWERED | {"cache-control"}
        answer = Response(content, said.status_code)
        for named, value in said.headers.multi_items():
            if named.lower() not in kept_out:
                answer.headers.append(named, value.removeprefix(self._address))
        # Its pages have scripts of their own, so ours forbids what they need not: frames, and other hosts' forms.
        # Where they bring a policy as well, a browser keeps to both.
        answer.headers.append(
            "Content-Security-Policy", "frame-ancestors 'none'; form-action 'self'; base-uri 'self'"
        )
        return answer

    def _with_bar(self, page: bytes, name: str) -> bytes:
        bar = _BAR.format(name=escape(name), sessions=escape(self._sessions)).encode()
        before, end, after = page.rpartition(b"</body>")
        return before + bar + end + after if end else page + bar


def changes_a_run(request: Request) -> bool:
    """Whether it may change something: all but what is read, a query of a run included."""
    return request.method not in READS and "/query/" not in request.url.path
