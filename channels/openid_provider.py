"""The OpenID provider of the house: sends staff there to sign in, and believes only what it really answered."""

import asyncio
import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

import httpx2 as httpx
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]
"""With which an answer may be signed: by a key that only the provider has, so never `none` or HS256."""

LEEWAY_SECONDS = 60
TIMEOUT = httpx.Timeout(10)
LARGEST_ANSWER = 1_000_000


class ForgedAnswerError(Exception):
    """The answer is not the provider's, not to us, not to this login, or too old; the message says what is wrong."""


class OneFactorError(Exception):
    """Somebody signed in there with less than is asked for here (`factors`)."""


class ProviderAwayError(Exception):
    """The provider cannot be asked, or says no; the message says why."""


@dataclass(slots=True, frozen=True, kw_only=True)
class OpenIdIdentity:
    """Who somebody is at the provider. `email` only where the provider says that it is theirs."""

    subject: str
    email: str | None


class HttpClient(Protocol):
    """Makes a client for a few requests."""

    def __call__(self) -> httpx.AsyncClient: ...


def _client() -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=False)


class OpenIdProvider:
    """One provider. `leads_back`: our address that it sends staff back to.

    `factors`: ways to sign in as it names them (RFC 8176, such as `mfa`), one of which it must have used;
    any where empty.
    """

    def __init__(
        self,
        issuer: str,
        client_id: str,
        client_secret: str,
        leads_back: str,
        *,
        now: Callable[[], datetime],
        factors: Sequence[str] = (),
        client: HttpClient = _client,
    ) -> None:
        self._issuer = issuer.rstrip("/")
        self._id, self._secret = client_id, client_secret
        self._leads_back = leads_back
        self._factors = frozenset(factors)
        self._now = now
        self._client = client
        self._described: dict[str, Any] | None = None
        self._keys: KeySet | None = None
        self._asking = asyncio.Lock()

    async def where(self, *, state: str, nonce: str, verifier: str, again: bool = False) -> str:
        """Where somebody goes to sign in; `again`: also who is signed in there. Raises: `ProviderAwayError`."""
        described = await self._description()
        asked = {
            "response_type": "code",
            "client_id": self._id,
            "redirect_uri": self._leads_back,
            "scope": "openid email profile",
            "state": state,
            "nonce": nonce,
            "code_challenge": _challenge(verifier),
            "code_challenge_method": "S256",
            **({"prompt": "login", "max_age": "0"} if again else {}),
        }
        address = str(described["authorization_endpoint"])
        return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(asked)}"

    async def who(
        self,
        code: str,
        *,
        nonce: str,
        verifier: str,
        issuer: str = "",
        since: datetime | None = None,
    ) -> OpenIdIdentity:
        """Who signed in. `issuer`: as the answer named it, where it did (RFC 9207); `since`: not before that moment.

        Raises: `ForgedAnswerError`, `OneFactorError`, `ProviderAwayError`.
        """
        if issuer and issuer.rstrip("/") != self._issuer:
            raise ForgedAnswerError("it comes from another provider")
        described = await self._description()
        sent = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._leads_back,
            "client_id": self._id,
            "code_verifier": verifier,
        }
        async with self._client() as client:
            told = await _json(
                client.post(
                    str(described["token_endpoint"]), data=sent, auth=(self._id, self._secret)
                )
            )
        token = told.get("id_token")
        if not isinstance(token, str):
            raise ForgedAnswerError("it holds no proof of who it is")
        claims = await self._believed(token, nonce)
        if since is not None:
            _refuse_before(since, claims.get("auth_time"))
        self._refuse_too_few(claims.get("amr"))
        email = claims.get("email")
        verified = claims.get("email_verified") is True and isinstance(email, str)
        return OpenIdIdentity(subject=str(claims["sub"]), email=str(email) if verified else None)

    def _refuse_too_few(self, used: object) -> None:
        named: list[object] = list(used) if isinstance(used, list) else []  # pyright: ignore[reportUnknownArgumentType]
        if self._factors and self._factors.isdisjoint(
            each for each in named if isinstance(each, str)
        ):
            raise OneFactorError(f"it names none of {', '.join(sorted(self._factors))}")

    async def _believed(self, token: str, nonce: str) -> dict[str, Any]:
        try:
            read = await self._opened(token)
            claims = CodeIDToken(
                read.claims,
                read.header,
                {
                    # As the provider itself writes it; some end it with a slash.
                    "iss": {"essential": True, "values": [self._issuer, f"{self._issuer}/"]},
                    "aud": {"essential": True, "value": self._id},
                    "nonce": {"essential": True, "value": nonce},
                    "sub": {"essential": True},
                },
                {"nonce": nonce, "client_id": self._id},
            )
            claims.validate(now=int(self._now().timestamp()), leeway=LEEWAY_SECONDS)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise ForgedAnswerError(str(error) or type(error).__name__) from None
        return dict(claims)

    async def _opened(self, token: str) -> jwt.Token:
        """The token, if a key of the provider signed it; its keys are asked for again once, they may be new."""
        try:
            return jwt.decode(token, await self._key_set(), algorithms=ALGORITHMS)
        except (JoseError, ValueError):
            self._keys = None
        return jwt.decode(token, await self._key_set(), algorithms=ALGORITHMS)

    async def _description(self) -> dict[str, Any]:
        async with self._asking:
            if self._described is None:
                async with self._client() as client:
                    address = f"{self._issuer}/.well-known/openid-configuration"
                    told = await _json(client.get(address))
                if str(told.get("issuer", "")).rstrip("/") != self._issuer:
                    raise ProviderAwayError("it calls itself otherwise than CLEW_OIDC_ISSUER says")
                needed = ("authorization_endpoint", "token_endpoint", "jwks_uri")
                if not all(isinstance(told.get(each), str) for each in needed):
                    raise ProviderAwayError("its description is not whole")
                self._described = told
        return self._described

    async def _key_set(self) -> KeySet:
        if self._keys is None:
            described = await self._description()
            async with self._client() as client:
                told = await _json(client.get(str(described["jwks_uri"])))
            self._keys = KeySet.import_key_set(told)  # pyright: ignore[reportArgumentType] -- checked by it
        return self._keys


def _refuse_before(since: datetime, at: object) -> None:
    if not isinstance(at, int) or at < since.timestamp() - LEEWAY_SECONDS:
        raise ForgedAnswerError("it does not say that somebody signed in again")


def _challenge(verifier: str) -> str:
    """As PKCE writes it (RFC 7636, S256)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


async def _json(asked: Any) -> dict[str, Any]:
    try:
        answer: httpx.Response = await asked
        answer.raise_for_status()
        if len(answer.content) > LARGEST_ANSWER:
            raise ProviderAwayError("its answer is too large")
        told = json.loads(answer.content)
    except (httpx.HTTPError, ValueError) as error:
        raise ProviderAwayError(f"{type(error).__name__}: {str(error)[:200]}") from None
    if not isinstance(told, Mapping):
        raise ProviderAwayError("its answer is no object")
    return dict(told)  # pyright: ignore[reportUnknownArgumentType] -- JSON
