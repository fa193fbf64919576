"""SES reports through SNS: only SNS itself is believed, and only of our topic."""

from datetime import timedelta

import pytest

from channels.feedback_webhook import ForgedFeedbackError, WebhookRequest
from channels.ses_feedback import SesFeedback
from channels.sns_message import SnsMessages, string_to_sign
from stores.database import dump_json
from tests.unit.channels.sns_sender import AT_SNS, CERTIFICATE, CONFIRM, NOW, TOPIC, SnsSender


@pytest.fixture
def sns() -> SnsSender:
    return SnsSender()


def messages(sns: SnsSender) -> SnsMessages:
    return SnsMessages([TOPIC], sns.fetch)


def test_what_is_signed_is_as_amazon_documents_it() -> None:
    # https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
    signed = string_to_sign(
        {
            "Type": "Notification",
            "Message": "My Test Message",
            "MessageId": "4d4dc071-ddbf-465d-bba8-08f81c89da64",
            "Subject": "My subject",
            "Timestamp": "2019-01-31T04:37:04.321Z",
            "TopicArn": "arn:aws:sns:us-east-2:123456789012:s4-MySNSTopic-1G1WEFCOXTC0P",
        }
    )

    assert signed == (
        b"Message\nMy Test Message\n"
        b"MessageId\n4d4dc071-ddbf-465d-bba8-08f81c89da64\n"
        b"Subject\nMy subject\n"
        b"Timestamp\n2019-01-31T04:37:04.321Z\n"
        b"TopicArn\narn:aws:sns:us-east-2:123456789012:s4-MySNSTopic-1G1WEFCOXTC0P\n"
        b"Type\nNotification\n"
    )
    confirmed = string_to_sign(
        {
            "Type": "SubscriptionConfirmation",
            "Message": "My Test Message",
            "MessageId": "3d891288-136d-417f-bc05-901c108273ee",
            "SubscribeURL": "https://sns.us-east-2.amazonaws.com/?Action=ConfirmSubscription",
            "Timestamp": "2019-01-31T19:25:13.719Z",
            "Token": "233...",
            "TopicArn": "arn:aws:sns:us-east-2:123456789012:s4-MySNSTopic-1G1WEFCOXTC0P",
        }
    )
    assert confirmed == (
        b"Message\nMy Test Message\n"
        b"MessageId\n3d891288-136d-417f-bc05-901c108273ee\n"
        b"SubscribeURL\nhttps://sns.us-east-2.amazonaws.com/?Action=ConfirmSubscription\n"
        b"Timestamp\n2019-01-31T19:25:13.719Z\n"
        b"Token\n233...\n"
        b"TopicArn\narn:aws:sns:us-east-2:123456789012:s4-MySNSTopic-1G1WEFCOXTC0P\n"
        b"Type\nSubscriptionConfirmation\n"
    )


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("subject", ["", "Amazon SES Email Event Notification"])
async def test_a_message_of_sns_is_taken_and_its_certificate_fetched_once(
    sns: SnsSender, version: str, subject: str
) -> None:
    known = messages(sns)
    more = {"Subject": subject} if subject else {}

    for said in ("one", "two"):
        await known.verify(sns.message(said, SignatureVersion=version, **more), NOW)

    assert sns.fetched == [CERTIFICATE]


@pytest.mark.parametrize(
    ("changed", "fetches"),
    [
        ({"Message": "something else"}, True),
        ({"Subject": "added"}, True),
        ({"Timestamp": "2017-08-05T00:41:02.800Z"}, True),
        ({"Signature": "bm8="}, True),
        ({"Signature": "no base64"}, True),
        ({"Signature": ""}, True),
        ({"SignatureVersion": "2"}, True),
        ({"SignatureVersion": "3"}, False),
        ({"Type": "Other"}, False),
        ({"TopicArn": "arn:aws:sns:eu-west-1:999999999999:ses-feedback"}, False),
        ({"SigningCertURL": CERTIFICATE.replace("https", "http")}, False),
        ({"SigningCertURL": CERTIFICATE.replace("amazonaws.com", "amazonaws.com.evil.io")}, False),
        ({"SigningCertURL": CERTIFICATE.replace("sns.eu-west-1", "evil.io/sns.eu-west-1")}, False),
        ({"SigningCertURL": CERTIFICATE.replace("//sns", "//me@sns")}, False),
        ({"SigningCertURL": CERTIFICATE.replace(".com/", ".com:8443/")}, False),
        ({"SigningCertURL": CERTIFICATE.replace("eu-west-1", "us-east-1")}, False),
        ({"SigningCertURL": f"{AT_SNS}/some-bucket/own.pem"}, False),
        ({"SigningCertURL": "https://[sns"}, False),
        ({"SigningCertURL": ""}, False),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, dict) else "",
)
async def test_what_is_not_of_sns_is_refused_and_nothing_foreign_is_fetched(
    sns: SnsSender, changed: dict[str, str], fetches: bool
) -> None:
    forged = sns.message() | changed

    with pytest.raises(ForgedFeedbackError):
        await messages(sns).verify(forged, NOW)

    assert sns.fetched == ([CERTIFICATE] if fetches else [])


async def test_a_message_signed_with_another_key_is_refused(sns: SnsSender) -> None:
    with pytest.raises(ForgedFeedbackError, match="signature"):
        await messages(sns).verify(sns.message(by="1"), NOW)


@pytest.mark.parametrize("later", [timedelta(hours=2), timedelta(minutes=-6)])
async def test_an_old_message_sent_again_is_refused(sns: SnsSender, later: timedelta) -> None:
    with pytest.raises(ForgedFeedbackError, match="sent again"):
        await messages(sns).verify(sns.message(), NOW + later)


async def test_a_certificate_that_has_run_out_proves_nothing(sns: SnsSender) -> None:
    late = "2017-10-05T00:41:02.700Z"
    with pytest.raises(ForgedFeedbackError, match="run out"):
        await messages(sns).verify(sns.message(Timestamp=late), NOW + timedelta(days=61))


async def read(sns: SnsSender, message: dict[str, str]) -> list[object]:
    request = WebhookRequest(url="https://x/feedback/ses", body=dump_json(message), now=NOW)
    return list(await SesFeedback(messages(sns)).read(request))


async def test_a_subscription_of_our_topic_is_confirmed_and_no_other(sns: SnsSender) -> None:
    assert await read(sns, sns.confirmation()) == []
    assert sns.fetched == [CERTIFICATE, CONFIRM]

    elsewhere = CONFIRM.replace("sns.eu-west-1.amazonaws.com", "evil.io")
    for other in (
        {"TopicArn": "arn:aws:sns:eu-west-1:999999999999:theirs"},
        {"SubscribeURL": elsewhere},
    ):
        sns.fetched.clear()
        with pytest.raises(ForgedFeedbackError):
            await read(sns, sns.confirmation(**other))
        assert CONFIRM not in sns.fetched
        assert elsewhere not in sns.fetched


async def test_a_certificate_that_cannot_be_had_now_is_no_forgery(sns: SnsSender) -> None:
    sns.away = True

    with pytest.raises(OSError, match="no route"):
        await read(sns, sns.message())


@pytest.mark.parametrize("said", ["Successfully validated SNS topic", "{ not JSON", "[]", "{}"])
async def test_words_in_the_topic_that_are_no_event_are_left(sns: SnsSender, said: str) -> None:
    assert await read(sns, sns.message(said)) == []
