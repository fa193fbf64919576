"""Names and payloads that cross a process are for ever: runs of months, other languages and old workers hold them.

A field may be added, with a default; nothing here may change or go. The tables are literal on purpose.
"""

import dataclasses
import importlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from contracts import ids, names, search_attributes
from contracts.clock import RunClock
from contracts.converter import DEFINITION_KEY, ClewPayloadConverter
from contracts.journey_run import (
    Admission,
    AdmitRun,
    Admitted,
    CarriedRun,
    JourneyResult,
    NotAdmitted,
    RecordRun,
    RunReference,
)
from contracts.message_delivery import DeliverMessage, MessageDelivered
from contracts.staff_case import OpenStaffCase
from journey.effects import Deliver, OfferedDecision, OpenCase, RunRecord, TraceEntry
from journey.state import State
from journey.touchpoint import CASE_DECIDED, TRAITS_CHANGED, Touchpoint

NAMES = {
    "WORKFLOW_TYPE": "customer_journey",
    "JOURNEYS_QUEUE": "journeys",
    "SIGNAL_TOUCHPOINT": "touchpoint",
    "SIGNAL_TOUCHPOINTS": "touchpoints",
    "SIGNAL_RESUME": "resume",
    "SIGNAL_ENGINE": "engine",
    "STAFF_CASE": "staff_case",
    "SIGNAL_CHANGED": "changed",
    "QUERY_STANDING": "standing",
    "UPDATE_TOUCHPOINT_NOW": "touchpoint_now",
    "UPDATE_LEAVE": "leave",
    "UPDATE_MOVE": "move",
    "UPDATE_NUDGE": "nudge",
    "QUERY_STATUS": "status",
    "QUERY_EXPLAIN": "explain",
    "ADMIT": "admit",
    "MOVE_RUN": "move_run",
    "FIND_DEFINITION": "find_definition",
    "RECORD_RUN": "record_run",
    "RECORD_END": "record_end",
    "HAND_BACK": "hand_back",
    "DELIVER_MESSAGE": "deliver_message",
    "OPEN_CASE": "open_case",
    "ESCALATE_CASE": "escalate_case",
    "CLOSE_CASE": "close_case",
    "MIND_CASE": "mind_case",
    "READ_TRAITS": "read_traits",
    "SET_TRAITS": "set_traits",
    "GRANT_OFFER": "grant_offer",
    "SETTLE_OFFER": "settle_offer",
    "CALL_SERVICE": "call_service",
    "START_RUN": "start_run",
    "DELIVER_CASE_MESSAGE": "deliver_case_message",
    "CALLS_QUEUE": "calls",
}

FIELDS = {
    "contracts.clock.RunClock": "wall_epoch run_epoch factor",
    "contracts.journey_run.RunReference": "entry journey customer workflow_id version now clock",
    "contracts.journey_run.AdmitRun": "workflow_id first_run_id journey customer key began_at now version arrived",
    "contracts.journey_run.Admitted": "kind entry version engine customer entering zone held_out traits",
    "contracts.journey_run.NotAdmitted": "kind reason detail",
    "contracts.journey_run.Admission": "answer version",
    "contracts.journey_run.MoveRun": "run version",
    "contracts.journey_run.DefinitionFound": "version",
    "contracts.journey_run.FindDefinition": "version",
    "contracts.journey_run.RecordRun": "run record",
    "contracts.journey_run.HandBack": "run touchpoints key",
    "contracts.journey_run.CarriedRun": "journey customer key version engine entry state clock inbox refused",
    "contracts.journey_run.JourneyResult": "outcome goal reason journey entry",
    "contracts.message_delivery.DeliverMessage": "run deliver held_out record accepted",
    "contracts.message_delivery.MessageDelivered": "state reason words channel until",
    "contracts.staff_case.OpenStaffCase": "run open record",
    "contracts.staff_case.EscalateStaffCase": "run escalate record",
    "contracts.staff_case.CloseStaffCase": "run close record",
    "contracts.staff_case.StaffCaseChanged": "case state queue clocked",
    "contracts.staff_case.CaseToMind": "case",
    "contracts.staff_case.CaseMinded": "state words over look_at send",
    "contracts.case_message.SendCaseMessage": "case message",
    "contracts.case_message.CaseMessageSent": "state",
    "contracts.customer_offer.GrantCustomerOffer": "run grant record",
    "contracts.customer_offer.OfferGranted": "code reason",
    "contracts.customer_offer.SettleCustomerOffer": "run settle record",
    "contracts.customer_offer.OfferSettled": "state",
    "contracts.service_call.CallService": "run call record",
    "contracts.service_call.ServiceAnswered": "result",
    "contracts.service_call.ActivityCall": "key journey customer values",
    "contracts.other_journey.StartOtherRun": "run start record",
    "contracts.other_journey.OtherRunAsked": "asked",
    "contracts.customer_traits.ReadCustomerTraits": "run read record",
    "contracts.customer_traits.SetCustomerTraits": "run set record",
    "contracts.customer_traits.CustomerTraits": "traits zone",
    "journey.touchpoint.Touchpoint": "message_id event timestamp properties context number",
    "journey.effects.Deliver": "kind n message purpose via expires expires_because condition replaces "
    "resend_unknown feeling values asks last_act topic priority",
    "journey.effects.Asked": "survey n",
    "journey.effects.GrantOffer": "kind n offer amount expires not_since",
    "journey.effects.SettleOffer": "kind n grant state reason",
    "journey.effects.CallOut": "kind n url method query body take",
    "journey.effects.CallActivity": "kind n activity queue values",
    "journey.effects.StartRun": "kind n journey properties",
    "journey.effects.ShowRecord": "n places say priority until values shown name",
    "journey.effects.OfferedDecision": "title fields authority",
    "journey.effects.OpenCase": "kind n queue brief decisions first_answer_by resolve_by values"
    " first_answer resolve escalate_to",
    "journey.effects.EscalateCase": "kind n case queue reason",
    "journey.effects.CloseCase": "kind n case reason",
    "journey.effects.ReadTraits": "kind n names",
    "journey.effects.SetTraits": "kind n traits",
    "journey.effects.TraceEntry": "sequence at address kind why",
    "journey.effects.PromiseRecord": "n name by state at reason",
    "journey.effects.RunRecord": "sequence at stage waits_for wakes_at outcome goal needs_attention trace "
    "promises listens shows stands",
    "journey.state.State": "shape entry customer key zone entered_at held_out counter sequence arrivals watermark "
    "seen values traits results sends visits stage threads mailbox reactions exits_held promises outstanding listens "
    "outcome goal offers shows",
    "journey.state.OpenOffer": "n name code",
    "journey.state.OpenShow": "n seen",
    "journey.state.Mail": "arrival touchpoint",
    "journey.state.Waiting": "kind began deadline n late why mark tallied tally clocked",
    "journey.state.Thread": "thread at home mark items links event parent waiting met rounds",
    "journey.state.ReactionState": "mark held settles_at settling",
    "journey.state.Outstanding": "effect thread held",
    "journey.state.OpenPromise": "n name by state",
}

ON_THE_WIRE = (
    "case_message",
    "clock",
    "customer_offer",
    "customer_traits",
    "journey_run",
    "message_delivery",
    "other_journey",
    "service_call",
    "staff_case",
)

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
RUN = RunReference(entry=7, journey="tale", customer="anna", workflow_id="journey/tale/anna")
PAID = Touchpoint(message_id="m1", event="Paid", timestamp=NOON, properties={"total": 5}, number=3)
RECORD = RunRecord(
    sequence=2,
    at=NOON,
    stage="only",
    trace=(
        TraceEntry(sequence=1, at=NOON, address="only", kind="stage", why="came to only"),
        TraceEntry(sequence=2, at=NOON, address="only/0", kind="chose", why="otherwise"),
    ),
    stands={"only/1": None, "only/2": NOON},
)

RUN_JSON = {"entry": 7, "journey": "tale", "customer": "anna", "workflow_id": "journey/tale/anna"}
RECORD_JSON = {
    "sequence": 2,
    "at": "2026-03-02T12:00:00Z",
    "stage": "only",
    "trace": [["only", "stage", "came to only"], ["only/0", "chose", "otherwise"]],
    "stands": {"only/1": None, "only/2": "2026-03-02T12:00:00Z"},
}
PAID_JSON = {
    "message_id": "m1",
    "event": "Paid",
    "timestamp": "2026-03-02T12:00:00Z",
    "properties": {"total": 5},
    "number": 3,
}

PAYLOADS: list[tuple[Any, dict[str, Any]]] = [
    (
        AdmitRun(
            workflow_id="w",
            first_run_id="f",
            journey="tale",
            customer="anna",
            key=None,
            began_at=NOON,
            now=NOON,
            arrived=(PAID,),
        ),
        {
            "workflow_id": "w",
            "first_run_id": "f",
            "journey": "tale",
            "customer": "anna",
            "key": None,
            "began_at": "2026-03-02T12:00:00Z",
            "now": "2026-03-02T12:00:00Z",
            "arrived": [PAID_JSON],
        },
    ),
    (
        Admission(answer=Admitted(entry=7, version="v", engine=1, customer="anna"), version="v"),
        {
            "answer": {
                "kind": "admitted",
                "entry": 7,
                "version": "v",
                "engine": 1,
                "customer": "anna",
            }
        },
    ),
    (
        Admission(answer=NotAdmitted(reason="again")),
        {"answer": {"kind": "not_admitted", "reason": "again"}},
    ),
    (RecordRun(run=RUN, record=RECORD), {"run": RUN_JSON, "record": RECORD_JSON}),
    (
        DeliverMessage(run=RUN, deliver=Deliver(n=4, message="hello"), record=RECORD),
        {"run": RUN_JSON, "deliver": {"n": 4, "message": "hello"}, "record": RECORD_JSON},
    ),
    (
        MessageDelivered(state="accepted", channel="email"),
        {"state": "accepted", "channel": "email"},
    ),
    (
        OpenStaffCase(
            run=RUN, open=OpenCase(n=5, queue="q", brief="b", decisions={"yes": OfferedDecision()})
        ),
        {"run": RUN_JSON, "open": {"n": 5, "queue": "q", "brief": "b", "decisions": {"yes": {}}}},
    ),
    (
        CarriedRun(
            journey="tale",
            customer="anna",
            key="k",
            version="v",
            engine=1,
            entry=7,
            state=State(entry=7, customer="anna"),
            clock=RunClock(wall_epoch=NOON, run_epoch=NOON, factor=60.0),
            inbox=(PAID,),
        ),
        {
            "journey": "tale",
            "customer": "anna",
            "key": "k",
            "version": "v",
            "engine": 1,
            "entry": 7,
            "state": {"entry": 7, "customer": "anna"},
            "clock": {
                "wall_epoch": "2026-03-02T12:00:00Z",
                "run_epoch": "2026-03-02T12:00:00Z",
                "factor": 60.0,
            },
            "inbox": [PAID_JSON],
        },
    ),
    (JourneyResult(outcome="bought", goal=True), {"outcome": "bought", "goal": True}),
]


def test_every_name_is_as_it_always_was() -> None:
    assert {name: value for name, value in vars(names).items() if name.isupper()} == NAMES
    assert names.delivery_queue("service") == "deliveries-service"
    assert names.delivery_queue("marketing") == "deliveries-marketing"
    assert (TRAITS_CHANGED, CASE_DECIDED) == ("$identify", "Case Decided")
    assert DEFINITION_KEY == "clew-definition"


def test_every_id_is_as_it_always_was() -> None:
    assert ids.workflow_id("tale", "anna") == "journey/tale/anna"
    assert ids.workflow_id("tale", "a/b c", "é?") == "journey/tale/a%2Fb%20c/%C3%A9%3F"
    assert ids.effect_key("journey/tale/anna", 7, 3) == "journey/tale/anna:7:3"
    assert ids.case_id("journey/tale/anna", 7, 3) == "case/journey/tale/anna:7:3"
    assert ids.case_clock_id("journey/tale/anna", 7, 3) == "case/journey/tale/anna/7/3"
    assert (
        ids.owner_of("case/journey/tale/anna/7/3")
        == ids.owner_of("case/journey/tale/anna/k/7/3")
        == "anna"
    )


def test_every_search_attribute_is_as_it_always_was() -> None:
    told = {key.name: key.indexed_value_type.name for key in search_attributes.SEARCH_ATTRIBUTES}

    assert told == {"ClewJourney": "KEYWORD", "ClewVersion": "KEYWORD", "ClewCustomer": "KEYWORD"}


@pytest.mark.parametrize("path", FIELDS, ids=lambda path: path.rpartition(".")[2])
def test_every_payload_has_the_fields_it_always_had(path: str) -> None:
    module, _, name = path.rpartition(".")
    kind: Any = getattr(importlib.import_module(module), name)

    assert [field.name for field in dataclasses.fields(kind)] == FIELDS[path].split()


def test_no_payload_is_forgotten() -> None:
    modules = [importlib.import_module(f"contracts.{name}") for name in ON_THE_WIRE]
    modules += [
        importlib.import_module(f"journey.{name}") for name in ("effects", "state", "touchpoint")
    ]
    found = {
        f"{module.__name__}.{name}"
        for module in modules
        for name, kind in vars(module).items()
        if isinstance(kind, type)
        and dataclasses.is_dataclass(kind)
        and kind.__module__ == module.__name__
    }

    assert found == set(FIELDS)


@pytest.mark.parametrize(("value", "written"), PAYLOADS, ids=lambda value: type(value).__name__)
def test_a_payload_is_plain_json_and_reads_back_the_same(value: Any, written: Any) -> None:
    converter = ClewPayloadConverter()
    payload = converter.to_payloads([value])[0]

    assert payload.metadata["encoding"] == b"json/plain"
    assert json.loads(payload.data) == written
    assert converter.from_payloads([payload], [type(value)]) == [value]


@pytest.mark.parametrize(("value", "written"), PAYLOADS, ids=lambda value: type(value).__name__)
def test_an_older_worker_reads_what_a_newer_one_wrote(value: Any, written: dict[str, Any]) -> None:
    payload = ClewPayloadConverter().to_payloads([value])[0]
    payload.data = json.dumps({**written, "a_field_of_the_future": {"x": 1}}).encode()

    assert ClewPayloadConverter().from_payloads([payload], [type(value)]) == [value]


@pytest.mark.parametrize(
    ("value", "version"),
    [
        (PAYLOADS[1][0], b"v"),
        (PAYLOADS[2][0], None),
        (PAYLOADS[7][0], b"v"),
        (PAYLOADS[4][0], None),
    ],
)
def test_a_payload_that_needs_a_definition_names_it(value: Any, version: bytes | None) -> None:
    payload = ClewPayloadConverter().to_payloads([value])[0]

    assert payload.metadata.get(DEFINITION_KEY) == version
