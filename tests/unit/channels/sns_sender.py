"""A topic of SNS with its certificate: signs messages as SNS does."""

import base64
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from channels.sns_message import string_to_sign

TOPIC = "arn:aws:sns:eu-west-1:123456789012:ses-feedback"
NOW = datetime(2017, 8, 5, 0, 41, 3, tzinfo=UTC)
AT_SNS = "https://sns.eu-west-1.amazonaws.com"
CERTIFICATE = f"{AT_SNS}/SimpleNotificationService-{'0a' * 16}.pem"
CONFIRM = f"{AT_SNS}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336412f37"


@lru_cache(maxsize=2)
def _pair(number: int) -> tuple[rsa.RSAPrivateKey, bytes]:
    del number
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=30))
        .not_valid_after(NOW + timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    return key, certificate.public_bytes(Encoding.PEM)


@dataclass
class SnsSender:
    """`fetched`: what was asked for at Amazon, in order."""

    fetched: list[str] = field(default_factory=list[str])
    away: bool = False

    async def fetch(self, url: str) -> bytes:
        if self.away:
            raise OSError("sns.eu-west-1.amazonaws.com: no route")
        self.fetched.append(url)
        return _pair(0)[1] if url.endswith(".pem") else b"<ConfirmSubscriptionResponse/>"

    def message(self, said: object = "words", **other: str) -> dict[str, str]:
        """A message, signed as it is; `by` is the key that signs it."""
        message = {
            "Type": "Notification",
            "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
            "TopicArn": TOPIC,
            "Message": said if isinstance(said, str) else json.dumps(said),
            "Timestamp": "2017-08-05T00:41:02.700Z",
            "SignatureVersion": "1",
            "SigningCertURL": CERTIFICATE,
            "UnsubscribeURL": f"{AT_SNS}/?Action=Unsubscribe",
            **other,
        }
        key = _pair(int(message.pop("by", "0")))[0]
        hashed = hashes.SHA256() if message["SignatureVersion"] == "2" else hashes.SHA1()
        signed = string_to_sign(message) or b""
        signature = key.sign(signed, padding.PKCS1v15(), hashed)
        return {**message, "Signature": base64.b64encode(signature).decode()}

    def confirmation(self, **other: str) -> dict[str, str]:
        """A subscription that asks to be confirmed."""
        return self.message(
            "You have chosen to subscribe to the topic",
            **{"Type": "SubscriptionConfirmation", "Token": "2336412f37", "SubscribeURL": CONFIRM}
            | other,
        )
