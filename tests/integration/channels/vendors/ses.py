"""Amazon SES, API v2, in the shapes of its documentation. It refuses what is not signed with its key."""

import base64
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials

from tests.integration.channels.vendors.scripted_http import (
    Answer,
    Request,
    ScriptedVendor,
    pause,
)

REGION = "eu-west-1"
CREDENTIALS = ReadOnlyCredentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", None)


class Ses(ScriptedVendor):
    """`refused`: the type of the error with which it refuses for good."""

    refused = "MessageRejected"

    def other(self, request: Request) -> Answer | None:
        assert (request.method, request.target) == ("POST", "/v2/email/outbound-emails")
        if request.headers.get("authorization") != self._right(request):
            return error("AccessDeniedException", "The request signature does not match", 403)
        return None

    def _right(self, request: Request) -> str:
        said = dict(part.split("=", 1) for part in request.headers["authorization"].split(" ")[1:])
        signed = said["SignedHeaders"].rstrip(",").split(";")
        again = AWSRequest(
            method="POST",
            url=f"{self.url}{request.target}",
            data=request.body,
            headers={name: request.headers[name] for name in signed},
        )
        stamp = request.headers["x-amz-date"]
        again.context["timestamp"] = stamp
        auth = SigV4Auth(CREDENTIALS, "ses", REGION)
        to_sign = auth.string_to_sign(again, auth.canonical_request(again))
        scope = f"{stamp[:8]}/{REGION}/ses/aws4_request"
        return (
            f"AWS4-HMAC-SHA256 Credential={CREDENTIALS.access_key}/{scope},"
            f" SignedHeaders={';'.join(signed)}, Signature={auth.signature(to_sign, again)}"
        )

    def mail(self, request: Request) -> EmailMessage:
        raw = base64.b64decode(request.json["Content"]["Raw"]["Data"])
        mail = message_from_bytes(raw, policy=default)
        assert isinstance(mail, EmailMessage)
        return mail

    def address_of(self, request: Request) -> str:
        (address,) = request.json["Destination"]["ToAddresses"]
        return address

    def subject_of(self, request: Request) -> str:
        return str(self.mail(request)["Subject"])

    def accept(self, request: Request) -> Answer:
        return Answer(200, {"MessageId": f"0102018d-{len(self.seen):08x}-000000"})

    def refuse(self, request: Request, words: str) -> Answer:
        return error(self.refused, words)

    def busy(self, request: Request, retry_after: timedelta | None, words: str) -> Answer:
        refused = error("TooManyRequestsException", words, 429)
        return Answer(429, refused.body, {**refused.headers, **pause(retry_after)})


def error(kind: str, words: str, status: int = 400) -> Answer:
    return Answer(status, {"message": words}, {"x-amzn-ErrorType": kind})
