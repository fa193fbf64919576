"""Notifications on phones through Firebase Cloud Messaging, HTTP v1.

FCM takes no key, so an attempt whose answer is lost stays unknown.
Source: https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages/send and …/ErrorCode.
"""

from datetime import timedelta
from typing import Any, cast
from urllib.parse import quote

import orjson

from activities.message_channel import (
    AddressGoneError,
    ProviderAnswer,
    ProviderBusyError,
    ProviderRefusedError,
    RenderedMessage,
    UnknownOutcomeError,
)
from channels.fcm_access import FcmAccess
from channels.notification import goes_along, shown, tag
from channels.provider_http import ProviderHttp, Told, without
from channels.unsubscribe_link import UnsubscribeLinks

API = "https://fcm.googleapis.com"
_GOOD_FOR = "86400s"
"""How long FCM keeps a notification for a phone that is off: what is a day old says nothing any more."""


class PushChannel:
    """Notifications through one Firebase project. An address is a registration token."""

    name = "push"
    provider = "fcm"
    key_window: timedelta | None = None
    looks_up = False

    def __init__(
        self,
        project: str,
        access: FcmAccess,
        links: UnsubscribeLinks,
        *,
        api: str = API,
        http: ProviderHttp | None = None,
    ) -> None:
        self._access, self._links = access, links
        self._http = http or ProviderHttp("FCM")
        self._url = f"{api}/v1/projects/{quote(project)}/messages:send"

    async def send(self, message: RenderedMessage) -> ProviderAnswer:
        """Hand the notification to FCM; the provider's id is its name there.

        Raises: `AddressGoneError` where the app is no longer on the phone, `ProviderRefusedError`,
        `ProviderBusyError`, `UnknownOutcomeError`.
        """
        token = await self._access.token()
        told = await self._http.post(
            self._url,
            message.key,
            content=orjson.dumps({"message": self._message(message)}),
            headers={"content-type": "application/json", "authorization": f"Bearer {token}"},
        )
        if not told.taken:
            if told.status == 401:
                self._access.forget(token)
            raise failure(told, message.address) or self._http.failed(told)
        name = told.body.get("name")
        if not isinstance(name, str) or not name:
            raise UnknownOutcomeError("FCM took the message and did not say under which name")
        return ProviderAnswer(provider_id=name)

    async def look_up(self, key: str) -> ProviderAnswer | None:
        """FCM cannot be asked."""
        raise NotImplementedError(f"FCM cannot say what became of {key}")

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    def _message(self, message: RenderedMessage) -> dict[str, Any]:
        title, body = shown(message)
        one, urgent = tag(message), message.purpose == "service"
        return {
            "token": message.address,
            "notification": {"title": title, "body": body},
            "data": goes_along(message, self.name, self._links),
            "android": {
                "collapse_key": one,
                "priority": "HIGH" if urgent else "NORMAL",
                "ttl": _GOOD_FOR,
                "notification": {"tag": one},
            },
            "apns": {
                "headers": {
                    "apns-collapse-id": one,
                    "apns-priority": "10" if urgent else "5",
                },
            },
        }


def failure(told: Told, token: str) -> Exception | None:
    """What FCM's error code means; None where it has none that says more than the status."""
    error: dict[str, Any] = told.body.get("error") or {}
    code = _code(error)
    words = f"{code} {without(str(error.get('message', '')), token)}".strip()
    match code:
        case "UNREGISTERED":
            return AddressGoneError(words)
        case "SENDER_ID_MISMATCH":
            # The device is not forgotten: it may be our project that is the wrong one.
            words = f"{words}: the token belongs to another Firebase project"
            return ProviderRefusedError(words, reason="unreachable")
        case "INVALID_ARGUMENT" if _about_the_token(error):
            return AddressGoneError(words)
        case "INVALID_ARGUMENT":
            return ProviderRefusedError(words, reason="not_taken")
        case "QUOTA_EXCEEDED" | "RESOURCE_EXHAUSTED":
            # Without a Retry-After, FCM asks for a minute.
            return ProviderBusyError(words, retry_after=told.retry_after or timedelta(minutes=1))
        case "UNAVAILABLE":
            return ProviderBusyError(words, retry_after=told.retry_after)
        case "THIRD_PARTY_AUTH_ERROR":
            return ProviderBusyError(f"{words}: mend the APNs or web push key in Firebase")
        case _:
            return None


def _code(error: dict[str, Any]) -> str:
    """FCM's own code where it says one, else that of Google's APIs."""
    for detail in _details(error):
        code = detail.get("errorCode")
        if isinstance(code, str):
            return code
    return str(error.get("status", ""))


def _about_the_token(error: dict[str, Any]) -> bool:
    violations = [
        each for detail in _details(error) for each in _dicts(detail.get("fieldViolations"))
    ]
    return any(each.get("field") == "message.token" for each in violations)


def _details(error: dict[str, Any]) -> list[dict[str, Any]]:
    return _dicts(error.get("details"))


def _dicts(value: object) -> list[dict[str, Any]]:
    listed = cast("list[object]", value) if isinstance(value, list) else []
    return [cast("dict[str, Any]", each) for each in listed if isinstance(each, dict)]
