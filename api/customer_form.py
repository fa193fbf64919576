"""What a customer's browser sends: read with bounds, as text, and from our own pages only."""

import unicodedata
from urllib.parse import parse_qs, urlsplit

from starlette.requests import Request

from api.customer_words import Words, choose_language
from api.refusals import RefusedRequestError
from api.request_body import read_body

LARGEST_FORM = 64_000
_MOST_FIELDS = 300
_BREAKS = ("\n", "\t")


class Form:
    """The fields of a form. What is missing is empty."""

    def __init__(self, fields: dict[str, list[str]]) -> None:
        self._fields = fields

    def all(self, name: str) -> list[str]:
        """Every value under a name, such as of boxes that were ticked."""
        return self._fields.get(name, [])

    def text(self, name: str, most: int) -> str:
        """Text of several lines, without what cannot be seen, cut to so many characters."""
        raw = next(iter(self.all(name)), "").replace("\r\n", "\n")
        # Format characters (Cf) could turn the text around it, or hide what it says from staff.
        shown = (
            each if each in _BREAKS or unicodedata.category(each) not in ("Cc", "Cf", "Cs") else " "
            for each in raw
        )
        return "".join(shown).strip()[:most]

    def line(self, name: str, most: int) -> str:
        """Text of one line."""
        return " ".join(self.text(name, 4 * most).split())[:most]


async def read_form(request: Request) -> Form:
    """The form that was sent. Raises: `RefusedRequestError` where it is too large, or none."""
    body = (await read_body(request, LARGEST_FORM)).decode(errors="replace")
    try:
        return Form(parse_qs(body, keep_blank_values=True, max_num_fields=_MOST_FIELDS))
    except ValueError:
        raise RefusedRequestError(400, "bad_form", "too many fields") from None


def refuse_other_sites(request: Request) -> None:
    """Raises: `RefusedRequestError` where another site had the customer's browser send this.

    A cookie goes along with no form of another site, and other sites know no link; this is for a
    link that leaked, and for older browsers. Programs that are no browser say nothing of where they
    come from, and older browsers say `null`, because our pages ask for no referrer.
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin", "null")
    foreign = (
        site not in ("same-origin", "none")
        if site is not None
        else origin != "null" and urlsplit(origin).netloc != request.headers.get("host")
    )
    if foreign:
        raise RefusedRequestError(403, "other_site", "this was not sent from our page")


def words_of(request: Request, *wished: object, zone: str = "UTC") -> Words:
    """The words for whoever asks: as the address says, as they wished, as their browser reads."""
    accepted = request.headers.get("accept-language", "")
    language = choose_language(request.query_params.get("lang"), *wished, accepted=accepted)
    return Words(language=language, zone=zone)


def agent_of(request: Request) -> str:
    """The browser, as it calls itself; part of a proof."""
    return request.headers.get("user-agent", "")[:200]
