"""Firebase Cloud Messaging and Google's token service, in the shapes of their documentation."""

import base64
import json
from datetime import timedelta
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.integration.channels.vendors.scripted_http import (
    Answer,
    Request,
    ScriptedVendor,
    pause,
)

PROJECT = "air-example"
_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"


@lru_cache(maxsize=1)
def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


class Fcm(ScriptedVendor):
    """Gives tokens to whoever signs with the key of its service account, and takes messages with them."""

    def __init__(self) -> None:
        super().__init__()
        self.given = 0
        self.held: set[str] = set()

    @property
    def account(self) -> dict[str, Any]:
        """The JSON file that the Firebase console gives."""
        pem = _key().private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return {
            "type": "service_account",
            "project_id": PROJECT,
            "private_key_id": "k1",
            "private_key": pem.decode(),
            "client_email": "push@air-example.iam.gserviceaccount.com",
            "token_uri": f"{self.url}/token",
        }

    def other(self, request: Request) -> Answer | None:
        if request.path == "/token":
            return self._token(request)
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self.held:
            return _error(401, "UNAUTHENTICATED", "Request had invalid authentication credentials")
        return None

    def _token(self, request: Request) -> Answer:
        head, claims, signature = request.form["assertion"].split(".")
        _key().public_key().verify(
            _decoded(signature), f"{head}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256()
        )
        said = json.loads(_decoded(claims))
        assert said["aud"] == "https://oauth2.googleapis.com/token"
        assert said["scope"] == "https://www.googleapis.com/auth/firebase.messaging"
        self.given += 1
        token = f"ya29.token-{self.given}"
        self.held.add(token)
        return Answer(200, {"access_token": token, "expires_in": 3599, "token_type": "Bearer"})

    def address_of(self, request: Request) -> str:
        assert request.path == f"/v1/projects/{PROJECT}/messages:send"
        return request.json["message"]["token"]

    def subject_of(self, request: Request) -> str:
        return request.json["message"]["notification"]["title"]

    def accept(self, request: Request) -> Answer:
        return Answer(
            200, {"name": f"projects/{PROJECT}/messages/0:{len(self.seen)}%31bd1c9631bd1c96"}
        )

    def refuse(self, request: Request, words: str) -> Answer:
        message = f"Requested entity was not found. {words} {self.address_of(request)}"
        return _error(404, "NOT_FOUND", message, "UNREGISTERED")

    def busy(self, request: Request, retry_after: timedelta | None, words: str) -> Answer:
        return _error(429, "RESOURCE_EXHAUSTED", words, "QUOTA_EXCEEDED", pause(retry_after))


def _error(
    status: int,
    name: str,
    message: str,
    code: str | None = None,
    headers: dict[str, str] | None = None,
) -> Answer:
    error: dict[str, Any] = {"code": status, "message": message, "status": name}
    if code is not None:
        error["details"] = [{"@type": _ERROR, "errorCode": code}]
    return Answer(status, {"error": error}, headers or {})


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
