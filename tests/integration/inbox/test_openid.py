"""Staff sign in by the provider of the house, and no answer that is not the provider's is believed."""

import re
import warnings
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2 as httpx
import pytest
import pytest_asyncio
from joserfc import jwt
from joserfc.jwk import RSAKey
from pydantic import SecretStr

from channels.openid_provider import (
    ForgedAnswerError,
    OneFactorError,
    OpenIdProvider,
    ProviderAwayError,
)
from stores.database import Pool
from tests.integration.inbox.staff_house import Browser, StaffHouse, said

with warnings.catch_warnings():
    # It loads authlib.jose, which says on import that it goes with Authlib 2.
    warnings.filterwarnings("ignore", message="authlib.jose module is deprecated")
    import oidc_provider_mock

# The mock signs by a way that Authlib gives up with 1.8.
pytestmark = pytest.mark.filterwarnings("ignore:get_jwt_config:DeprecationWarning")

ISSUER, CLIENT = "https://login.test", "clew"
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
KEY, OTHER_KEY = (RSAKey.generate_key(2048, {"kid": "1"}, private=True) for _ in range(2))


def claims(**other: Any) -> dict[str, Any]:
    at = int(NOW.timestamp())
    told = {
        "iss": ISSUER, "aud": CLIENT, "sub": "s-eva", "nonce": "n-1", "iat": at, "exp": at + 300,
        "email": "eva@house.example", "email_verified": True,
    }  # fmt: skip
    return {name: value for name, value in {**told, **other}.items() if value is not None}


def provider(
    token: str, *, described: dict[str, Any] | None = None, factors: Sequence[str] = ()
) -> OpenIdProvider:
    """A provider that answers any code with this token."""

    def answer(request: httpx.Request) -> httpx.Response:
        match request.url.path:
            case "/.well-known/openid-configuration":
                told = {
                    "issuer": ISSUER,
                    "authorization_endpoint": f"{ISSUER}/go",
                    "token_endpoint": f"{ISSUER}/token",
                    "jwks_uri": f"{ISSUER}/keys",
                }
                return httpx.Response(200, json=told | (described or {}))
            case "/keys":
                return httpx.Response(200, json={"keys": [KEY.as_dict(private=False)]})
            case _:
                return httpx.Response(200, json={"id_token": token})

    return OpenIdProvider(
        ISSUER, CLIENT, "secret", "https://clew.test/staff/openid/answer", now=lambda: NOW,
        factors=factors, client=lambda: httpx.AsyncClient(transport=httpx.MockTransport(answer)),
    )  # fmt: skip


async def test_a_proof_of_the_provider_says_who_it_is() -> None:
    told = await provider(jwt.encode({"alg": "RS256", "kid": "1"}, claims(), KEY)).who(
        "code", nonce="n-1", verifier="v"
    )
    unsure = await provider(
        jwt.encode({"alg": "RS256", "kid": "1"}, claims(email_verified=False), KEY)
    ).who("code", nonce="n-1", verifier="v")

    assert (told.subject, told.email) == ("s-eva", "eva@house.example")
    assert unsure.email is None


@pytest.mark.parametrize(
    ("what", "changed"),
    [
        ("of another login", {"nonce": "n-2"}),
        ("of no login", {"nonce": None}),
        ("of another provider", {"iss": "https://evil.example"}),
        ("for another client", {"aud": "shop"}),
        ("for another client too", {"aud": [CLIENT, "shop"], "azp": "shop"}),
        ("too old", {"exp": int((NOW - timedelta(minutes=2)).timestamp())}),
        ("without an end", {"exp": None}),
        ("of nobody", {"sub": None}),
    ],
)
async def test_a_proof_that_is_not_for_this_login_is_refused(
    what: str, changed: dict[str, Any]
) -> None:
    del what
    token = jwt.encode({"alg": "RS256", "kid": "1"}, claims(**changed), KEY)

    with pytest.raises(ForgedAnswerError):
        await provider(token).who("code", nonce="n-1", verifier="v")


@pytest.mark.parametrize(
    "how", ["another key", "no signature", "tampered", "no token", "the public key as secret"]
)
async def test_a_proof_that_the_provider_did_not_sign_is_refused(how: str) -> None:
    right = jwt.encode({"alg": "RS256", "kid": "1"}, claims(), KEY)
    head, body, signature = right.split(".")
    token = {
        "another key": jwt.encode({"alg": "RS256", "kid": "1"}, claims(), OTHER_KEY),
        "no signature": "eyJhbGciOiJub25lIn0." + body + ".",
        "tampered": f"{head}.{body[:-2]}{'A' if body[-2] != 'A' else 'B'}{body[-1]}.{signature}",
        "no token": "x",
        "the public key as secret": "eyJhbGciOiJIUzI1NiJ9." + body + "." + signature,
    }[how]

    with pytest.raises(ForgedAnswerError):
        await provider(token).who("code", nonce="n-1", verifier="v")


async def test_a_provider_that_calls_itself_otherwise_is_not_asked() -> None:
    with pytest.raises(ProviderAwayError):
        await provider("x", described={"issuer": "https://evil.example"}).where(
            state="s", nonce="n", verifier="v"
        )
    with pytest.raises(ForgedAnswerError):
        await provider("x").who("code", nonce="n", verifier="v", issuer="https://evil.example")


@pytest.mark.parametrize(
    ("at", "believed"),
    [(NOW, True), (NOW - timedelta(seconds=61), False), (None, False), ("now", False)],
)
async def test_who_is_asked_again_signed_in_since_then(at: object, believed: bool) -> None:
    told = int(at.timestamp()) if isinstance(at, datetime) else at
    token = jwt.encode({"alg": "RS256", "kid": "1"}, claims(auth_time=told), KEY)
    try:
        await provider(token).who("code", nonce="n-1", verifier="v", since=NOW)
        found = True
    except ForgedAnswerError:
        found = False

    assert found == believed
    sent = await provider(token).where(state="s", nonce="n", verifier="v", again=True)
    where = parse_qs(urlsplit(sent).query)
    assert (where["prompt"], where["max_age"]) == (["login"], ["0"])


@pytest.mark.parametrize(
    ("used", "enough"),
    [
        (["pwd", "mfa"], True),
        (["hwk"], True),
        (["pwd"], False),
        (None, False),
        ("mfa", False),
        ([7], False),
    ],
)
async def test_a_house_that_asks_for_two_factors_there_believes_no_less(
    used: object, enough: bool
) -> None:
    token = jwt.encode({"alg": "RS256", "kid": "1"}, claims(amr=used), KEY)
    try:
        await provider(token, factors=["mfa", "hwk"]).who("code", nonce="n-1", verifier="v")
        found = True
    except (OneFactorError, ForgedAnswerError):
        found = False

    assert found == enough


@pytest_asyncio.fixture
async def house(pool: Pool) -> AsyncIterator[tuple[StaffHouse, str]]:
    """A house whose staff sign in at a provider, and where that is."""
    with oidc_provider_mock.run_server_in_thread(require_nonce=True) as server:
        issuer = f"http://localhost:{server.server_port}"
        house = StaffHouse(
            pool, oidc_issuer=issuer, oidc_client_id=CLIENT, oidc_client_secret=SecretStr("secret")
        )
        await house.furnish()
        yield house, issuer


@pytest_asyncio.fixture
async def browser(house: tuple[StaffHouse, str]) -> AsyncIterator[Callable[[], Browser]]:
    app = house[0].app()
    async with AsyncExitStack() as parts:
        made = list[httpx.AsyncClient]()

        def new() -> Browser:
            transport = httpx.ASGITransport(app=app)
            made.append(httpx.AsyncClient(transport=transport, base_url="http://clew.test"))
            return Browser(made[-1])

        yield new
        for each in made:
            parts.push_async_callback(each.aclose)


async def signs_in_there(browser: Browser, issuer: str, subject: str, **known: Any) -> str:
    """What the provider sends the browser back to."""
    async with httpx.AsyncClient() as client:
        await client.put(f"{issuer}/users/{subject}", json=known)
        sent = await browser.client.get("/staff/openid?to=/staff/replies")
        answer = await client.post(sent.headers["location"], data={"sub": subject})
    asked = parse_qs(urlsplit(sent.headers["location"]).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert re.fullmatch(r"[\w-]{43}", asked["code_challenge"][0])
    return str(answer.headers["location"])


async def test_a_member_is_found_by_address_once_and_by_subject_then(
    house: tuple[StaffHouse, str], browser: Callable[[], Browser]
) -> None:
    staff, issuer = house
    known = {"email": "eva@house.example", "email_verified": True}

    first, second, other = browser(), browser(), browser()
    shown = await first.goes(await signs_in_there(first, issuer, "s-1", **known))
    again = said(await second.goes(await signs_in_there(second, issuer, "s-1")))
    taken = said(await other.goes(await signs_in_there(other, issuer, "s-2", **known)))
    stranger, unsure = browser(), browser()
    nobody = said(await stranger.goes(await signs_in_there(stranger, issuer, "s-3")))
    told = {"email": "ben@house.example", "email_verified": False}
    unproven = said(await unsure.goes(await signs_in_there(unsure, issuer, "s-4", **told)))

    assert str(shown.url).endswith("/staff/replies")
    assert "Eva Novak" in again
    for page in (taken, nobody, unproven):
        assert "nobody here is known by it" in page
    eva = await staff.members.member("eva")
    assert eva is not None
    assert eva.subject == "s-1"


async def test_an_answer_is_good_once_and_in_the_browser_that_asked(
    house: tuple[StaffHouse, str], browser: Callable[[], Browser]
) -> None:
    _, issuer = house
    known = {"email": "eva@house.example", "email_verified": True}
    eva, mallory = browser(), browser()
    back = await signs_in_there(eva, issuer, "s-1", **known)

    stolen = await mallory.goes(back)
    forged = await eva.goes(back.replace("state=", "state=x"))
    right = await eva.goes(back)
    await eva.client.get("/staff/openid")
    again = await mallory.goes(back)

    assert [each.status_code for each in (stolen, forged, right, again)] == [403, 403, 200, 403]
    assert "Eva Novak" in said(right)
