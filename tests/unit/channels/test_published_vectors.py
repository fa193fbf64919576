"""What we sign and seal is what the standards' own examples are."""

import base64
import json
from datetime import UTC, datetime, timedelta

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import Vapid02

from channels.http_call import signature
from channels.vapid import VapidKey, VapidKeyError, new_pair
from channels.webpush import are_keys, encrypted

# RFC 8291, appendix A.
PLAIN = b"When I grow up, I want to be a watermelon"
BROWSER = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
SEALED = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_"
    "yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)
KEYS = {
    "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    "auth": "BTBZMqHH6r4Tts7J_aSIgg",
}
NOW = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)


def raw(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def opened(sealed: bytes) -> bytes:
    pair = ec.derive_private_key(int.from_bytes(raw(BROWSER), "big"), ec.SECP256R1())
    return http_ece.decrypt(
        sealed, private_key=pair, auth_secret=raw(KEYS["auth"]), version="aes128gcm"
    )


def test_the_browser_of_the_rfc_reads_its_own_example_and_what_we_seal_for_it() -> None:
    assert opened(raw(SEALED)) == PLAIN
    assert opened(encrypted(PLAIN, "https://push.example/x", KEYS)) == PLAIN
    assert encrypted(PLAIN, "https://push.example/x", KEYS) != raw(SEALED)
    assert are_keys(KEYS)


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"p256dh": KEYS["p256dh"]},
        {**KEYS, "auth": "c2hvcnQ"},
        {**KEYS, "p256dh": KEYS["p256dh"][:-8]},
        {**KEYS, "p256dh": "B" + "A" * 86},
        {**KEYS, "p256dh": "…"},
    ],
)
def test_what_are_no_keys_of_a_browser_are_not_taken_for_them(keys: dict[str, str]) -> None:
    assert not are_keys(keys)


def test_a_push_service_knows_who_sends() -> None:
    private, public = new_pair()
    key = VapidKey(private, "mailto:care@air.example")

    header = key.authorization("https://push.example:8443/send/x?y=1", NOW)

    given = dict(part.split("=", 1) for part in header.removeprefix("vapid ").split(","))
    claims = json.loads(raw(given["t"].split(".")[1]))
    assert Vapid02.verify(header)
    assert given["k"] == public == key.public
    assert claims["aud"] == "https://push.example:8443"
    assert claims["sub"] == "mailto:care@air.example"
    assert timedelta(hours=6) <= datetime.fromtimestamp(claims["exp"], UTC) - NOW
    assert datetime.fromtimestamp(claims["exp"], UTC) - NOW <= timedelta(hours=12)
    assert header == key.authorization("https://push.example:8443/another", NOW)


@pytest.mark.parametrize(
    ("private", "contact"),
    [
        ("", "mailto:care@air.example"),
        ("too-short", "mailto:care@air.example"),
        ("é" * 43, "mailto:care@air.example"),
        (BROWSER, "care@air.example"),
        (BROWSER, "mailto:"),
    ],
)
def test_what_is_no_key_or_no_contact_is_told_at_once(private: str, contact: str) -> None:
    with pytest.raises(VapidKeyError):
        VapidKey(private, contact)


def test_the_example_of_standard_webhooks_is_signed_as_its_libraries_do() -> None:
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'

    signed = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body)

    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
