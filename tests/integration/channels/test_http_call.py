"""A call to a service outside: signed, and made once or again as the service wants."""

import base64
import gzip
from datetime import timedelta

import pytest
from pydantic import JsonValue
from pytest_httpserver import HTTPServer
from standardwebhooks import Webhook, WebhookVerificationError
from temporalio.exceptions import ApplicationError

from activities.service_call import CallRefusedError, Response, ServiceBusyError, ServiceCalls
from channels.http_call import LARGEST_ANSWER, LONGEST_PAUSE, HttpCaller
from contracts.journey_run import RunReference
from contracts.service_call import CALL_REFUSED, CallService
from journey.effects import CallOut, RunRecord
from tests.integration.channels.called_service import BODY, KEY, SECRET, post, told

WEBHOOK = Webhook(f"whsec_{base64.b64encode(SECRET).decode()}")


# -- who calls, and how often


async def test_a_service_can_tell_that_we_called_and_what_we_said(
    caller: HttpCaller, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/stock", method="POST").respond_with_json({"gate": "A7"})

    said = await post(caller, httpserver.url_for("/stock"))

    [(request, _)] = httpserver.log
    assert said == Response(status=200, body={"gate": "A7"})
    assert WEBHOOK.verify(request.data, told(httpserver)) == BODY
    with pytest.raises(WebhookVerificationError):
        WEBHOOK.verify(request.data.replace(b"12", b"13"), told(httpserver))
    with pytest.raises(WebhookVerificationError):
        WEBHOOK.verify(request.data, told(httpserver) | {"webhook-id": "another"})


async def test_a_question_is_signed_too_and_asks_what_the_journey_asks(
    caller: HttpCaller, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/stock", method="GET").respond_with_json([1, 2])
    asked: dict[str, JsonValue] = {"shoe": "46 & up", "wide": True, "left": 2}

    said = await caller.call(KEY, "GET", httpserver.url_for("/stock") + "?shop=1", asked, {})

    [(request, _)] = httpserver.log
    assert said.body == [1, 2]
    assert request.args.to_dict() == {"shop": "1", "shoe": "46 & up", "wide": "true", "left": "2"}
    assert request.data == b""
    WEBHOOK.verify(request.data, told(httpserver), json_parse=False)


async def test_a_second_try_has_the_id_of_the_first_and_a_second_call_another(
    caller: HttpCaller, httpserver: HTTPServer
) -> None:
    httpserver.expect_ordered_request("/stock").respond_with_data(status=503)
    httpserver.expect_ordered_request("/stock").respond_with_json({})
    httpserver.expect_ordered_request("/stock").respond_with_json({})
    url = httpserver.url_for("/stock")

    with pytest.raises(ServiceBusyError):
        await post(caller, url)
    await post(caller, url)
    await post(caller, url, "journey/stock/c_anna:7:4")

    ids = [told(httpserver, number)["webhook-id"] for number in range(3)]
    keys = [told(httpserver, number)["idempotency-key"] for number in range(3)]
    assert ids == keys
    assert ids[0] == ids[1] != ids[2]
    assert "anna" not in "".join(ids)


async def test_no_call_learns_of_another(caller: HttpCaller, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/stock").respond_with_data(
        "{}", headers={"Set-Cookie": "session=annas; Path=/"}
    )

    await post(caller, httpserver.url_for("/stock"))
    await post(caller, httpserver.url_for("/stock"), "journey/stock/c_ben:8:3")

    assert ["cookie" in told(httpserver, number) for number in range(2)] == [False, False]


# -- what the service answers


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 422, 451])
async def test_what_a_service_refuses_is_refused_for_good_in_words(
    caller: HttpCaller, httpserver: HTTPServer, status: int
) -> None:
    httpserver.expect_request("/stock").respond_with_data("no" * LARGEST_ANSWER, status=status)

    with pytest.raises(CallRefusedError, match=f"^localhost answered {status}$"):
        await post(caller, httpserver.url_for("/stock"))


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
async def test_what_may_pass_is_tried_again_however_its_page_looks(
    caller: HttpCaller, httpserver: HTTPServer, status: int
) -> None:
    page = gzip.compress(b"<h1>Sorry</h1>" * LARGEST_ANSWER)
    httpserver.expect_request("/stock").respond_with_data(
        page, status=status, headers={"Content-Encoding": "gzip"}
    )

    with pytest.raises(ServiceBusyError, match=f"^localhost answered {status}$") as busy:
        await post(caller, httpserver.url_for("/stock"))

    assert busy.value.retry_after is None


@pytest.mark.parametrize(
    ("said", "pause"),
    [
        ("7", timedelta(seconds=7)),
        ("0", timedelta()),
        ("86400", LONGEST_PAUSE),
        ("9" * 5_000, LONGEST_PAUSE),
        ("Thu, 01 May 2031 12:01:30 GMT", timedelta(seconds=90)),
        ("Thu, 01 May 2031 12:01:30 -0000", timedelta(seconds=90)),
        ("Fri, 02 May 2031 12:00:00 GMT", LONGEST_PAUSE),
        ("Thu, 01 May 2031 11:00:00 GMT", None),
        ("-5", None),
        ("soon", None),
    ],
)
async def test_a_service_says_when_it_wants_to_be_called_again(
    punctual: HttpCaller, httpserver: HTTPServer, said: str, pause: timedelta | None
) -> None:
    httpserver.expect_request("/stock").respond_with_data(status=429, headers={"Retry-After": said})

    with pytest.raises(ServiceBusyError) as busy:
        await post(punctual, httpserver.url_for("/stock"))

    assert busy.value.retry_after == pause


@pytest.mark.parametrize(
    ("content", "body"),
    [
        (b"", None),
        (b"OK", None),
        (b"<html>thank you</html>", None),
        (b"\xff\xfe\x00", None),
        (b'{"a": 1e999}', None),
        (b"null", None),
        (b'"A7"', "A7"),
        (b' {"gate": ["A7", null]} ', {"gate": ["A7", None]}),
        (b"x" * LARGEST_ANSWER, None),
    ],
    ids=["nothing", "OK", "markup", "bytes", "infinite", "null", "text", "json", "as large as may"],
)
async def test_an_answer_that_is_no_json_is_an_answer(
    caller: HttpCaller, httpserver: HTTPServer, content: bytes, body: JsonValue
) -> None:
    httpserver.expect_request("/stock").respond_with_data(content, status=201)

    said = await post(caller, httpserver.url_for("/stock"))

    assert said == Response(status=201, body=body)


# -- what the run is told


class NoRecords:
    """No record rides with these calls."""

    async def write(self, run: RunReference, record: RunRecord) -> None:
        raise AssertionError("nothing was to be written down")


def order(url: str) -> CallService:
    run = RunReference(
        entry=7, journey="stock", customer="c_anna", workflow_id="journey/stock/c_anna"
    )
    take = {"gate": "response.body.gate", "none": "response.body.of.that"}
    return CallService(run=run, call=CallOut(n=3, url=url, body={"item": "seat 12"}, take=take))


async def test_a_run_keeps_of_an_answer_what_it_takes(
    caller: HttpCaller, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/stock").respond_with_json({"gate": "A7", "secret": "x"})
    calls = ServiceCalls(caller=caller, records=NoRecords())

    said = await calls.call_service(order(httpserver.url_for("/stock")))

    assert said.result == {"status": 200, "gate": "A7", "none": None}


async def test_a_run_calls_again_when_the_service_wants_and_under_the_same_id(
    caller: HttpCaller, httpserver: HTTPServer
) -> None:
    httpserver.expect_ordered_request("/stock").respond_with_data(
        status=503, headers={"Retry-After": "7"}
    )
    httpserver.expect_ordered_request("/stock").respond_with_data("thank you")
    calls = ServiceCalls(caller=caller, records=NoRecords())

    with pytest.raises(ApplicationError) as busy:
        await calls.call_service(order(httpserver.url_for("/stock")))
    said = await calls.call_service(order(httpserver.url_for("/stock")))

    assert busy.value.next_retry_delay == timedelta(seconds=7)
    assert not busy.value.non_retryable
    assert said.result == {"status": 200, "gate": None, "none": None}
    assert told(httpserver, 0)["webhook-id"] == told(httpserver, 1)["webhook-id"]


async def test_a_run_does_not_call_again_what_was_refused_for_good(
    caller: HttpCaller, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/stock").respond_with_data("no such item", status=404)
    calls = ServiceCalls(caller=caller, records=NoRecords())

    with pytest.raises(ApplicationError, match="localhost answered 404") as refused:
        await calls.call_service(order(httpserver.url_for("/stock")))

    assert refused.value.non_retryable
    assert refused.value.type == CALL_REFUSED
    assert "seat 12" not in str(refused.value)
