"""Another system is asked, and the journey goes on with what it says."""

from journey.effects import CallActivity, CallOut
from journey.happenings import CallAnswer
from journey.responses import host_of, taken
from tests.unit.journey.story import Run, entered, on

STOCK = (
    "call: {url: 'https://stock.example.com/reservations', query: {shop: run.shop}, "
    "body: {order: run.order, parts: 'run.parts'}, as: stock, take: {gate: response.body.gate}%s}"
)
KEEP = "{order: event.properties.order, shop: '7', parts: '[1, 2]'}"
WAIT = ("wait: 1d", "finish: done")


def calling(call: str = STOCK % "", *steps: str, busy: tuple[type, ...] = ()) -> Run:
    return entered(on(call, *(steps or WAIT), keep=KEEP), busy=busy, order="o1")


def test_a_service_is_told_what_the_journey_works_out() -> None:
    [call] = calling().calls

    assert isinstance(call, CallOut)
    assert (call.method, call.url) == ("POST", "https://stock.example.com/reservations")
    assert (call.query, call.body) == ({"shop": 7}, {"order": "o1", "parts": [1, 2]})
    assert call.take == {"gate": "response.body.gate"}


def test_an_activity_of_ones_own_is_given_one_object() -> None:
    [call] = calling(
        "call: {activity: reserve, queue: shop, with: {order: run.order}, as: r}"
    ).calls

    assert isinstance(call, CallActivity)
    assert (call.activity, call.queue, call.values) == ("reserve", "shop", {"order": "o1"})


def test_the_journey_waits_for_the_answer_and_goes_on_with_it() -> None:
    choose = "choose: [{when: \"stock.gate == 'A7'\", do: [{finish: gate-a7}]}]"
    anna = calling(STOCK % "", choose, "finish: other", busy=(CallOut,))
    assert anna.waits_for == ("stock.example.com to answer",)

    anna.answers(anna.calls[0], CallAnswer(result={"status": 200, "gate": "A7"}))

    assert anna.outcome == "gate-a7"


def test_what_is_taken_may_be_named_in_a_message() -> None:
    anna = calling(STOCK % "", "send: {message: gate, purpose: service}", "finish: done")

    assert anna.message_values[0]["stock"] == {"status": 200}


def test_what_cannot_be_told_is_null_and_noted() -> None:
    anna = calling("call: {url: 'https://a.example', body: {order: event.properties.nothing}}")

    [call] = anna.calls
    assert isinstance(call, CallOut)
    assert call.body == {"order": None}
    assert any(why.startswith("condition_error: event.properties.nothing") for why in anna.why)


def test_a_call_that_fails_for_good_is_recorded_and_the_journey_goes_on() -> None:
    anna = calling(busy=(CallOut,))

    anna.fails(anna.calls[0], "CallRefusedError")

    assert "failed: stock.example.com: CallRefusedError: no such template" in anna.why
    assert anna.waits_for[0].startswith("until")


def test_what_to_do_when_it_fails_may_be_said() -> None:
    anna = calling(STOCK % ", on_failure: [{finish: by-hand}]", busy=(CallOut,))

    anna.fails(anna.calls[0])

    assert anna.outcome == "by-hand"


def test_a_call_may_stop_the_journey_until_it_is_resumed() -> None:
    anna = calling(STOCK % ", on_failure: stop", busy=(CallOut,))
    anna.fails(anna.calls[0])
    assert anna.stopped is not None

    anna.resumes()
    anna.answers(anna.calls[0])

    assert anna.stopped is None
    assert [call.n for call in anna.calls] == [2, 2], "the same call, under the same key"


def test_what_comes_while_the_service_thinks_is_not_lost() -> None:
    wait = "wait: {any: [{on: Paid, do: [{finish: paid}]}], until: 1d}"
    anna = calling(STOCK % "", wait, "finish: unpaid", busy=(CallOut,)).does("Paid")

    anna.answers(anna.calls[0])

    assert anna.outcome == "paid"


def test_an_answer_that_comes_after_an_exit_changes_nothing() -> None:
    journey = on(STOCK % "", *WAIT, keep=KEEP, exit="[{on: Left, outcome: left}]")
    anna = entered(journey, busy=(CallOut,), order="o1").does("Left")
    assert not anna.state.finished, "the call is on its way"

    anna.answers(anna.calls[0])

    assert anna.outcome == "left"
    assert "stock" not in anna.state.results
    assert anna.state.finished


def test_what_is_not_in_a_response_is_null_and_its_status_is_always_kept() -> None:
    take = {"gate": "response.body.gate", "odd": "response.body.list[7]", "ok": "response.status"}

    kept = taken(take, 201, {"gate": "A7", "list": []})

    assert kept == {"status": 201, "gate": "A7", "odd": None, "ok": 201}


def test_a_response_that_is_no_json_gives_its_status_only() -> None:
    assert taken({"gate": "response.body.gate"}, 204, None) == {"status": 204, "gate": None}


def test_a_call_is_told_by_its_host() -> None:
    assert host_of("https://stock.example.com:8443/a?b") == "stock.example.com"
