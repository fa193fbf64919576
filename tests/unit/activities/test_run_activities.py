"""What the activities of a run do around their stores, with stores in memory."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from pydantic import JsonValue
from temporalio.exceptions import ApplicationError

from activities.admission import Admissions
from activities.customer_traits import KnownTraits, TraitRefusedError, TraitsOfCustomer
from activities.message_text import MessageCannotRenderError
from activities.run_record import RunJournal
from activities.staff_cases import StaffCases, UnknownCaseError
from contracts.customer_traits import ReadCustomerTraits, SetCustomerTraits
from contracts.journey_run import FindDefinition, RecordRun, RunReference
from contracts.staff_case import (
    CloseStaffCase,
    EscalateStaffCase,
    OpenStaffCase,
    StaffCaseChanged,
)
from journey.effects import (
    CloseCase,
    EscalateCase,
    OpenCase,
    ReadTraits,
    RunRecord,
    SetTraits,
)
from journey.programs import Programs
from journey.publication import read_definition

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
RUN = RunReference(
    workflow_id="journey/cart/anna", entry=7, journey="cart", version="v", customer="c_1", now=NOW
)
RECORD = RunRecord(sequence=3, at=NOW, stage="paying")

CART = """
language: 1
journey: cart
title: Help a customer finish
owner: growth
enter: {on: Product Added}
stages:
  - stage: hesitating
    steps: [{wait: {until: 2d}}, {finish: not-recovered}]
"""


@dataclass
class Memory:
    """Every store the activities ask for, in memory; `did` tells in which order."""

    did: list[str] = field(default_factory=list)
    traits: dict[str, JsonValue] = field(default_factory=dict)
    cases: dict[str, str] = field(default_factory=dict)
    definitions: dict[str, bytes] = field(default_factory=dict)

    async def write(self, run: RunReference, record: RunRecord) -> None:
        self.did.append(f"record {run.entry} {record.sequence}")

    async def end_within_task(self, run: RunReference, record: RunRecord) -> bool:
        self.did.append(f"end {run.entry} {record.outcome}")
        return True

    async def read(self, customer: str) -> KnownTraits:
        self.did.append(f"read {customer}")
        return KnownTraits(traits=self.traits, zone="Europe/Prague")

    async def change(
        self, customer: str, traits: Mapping[str, JsonValue], *, message_id: str, at: datetime
    ) -> KnownTraits:
        if "zone" in traits:
            raise TraitRefusedError("no such zone")
        self.did.append(f"change {customer} {message_id}")
        self.traits |= traits
        return KnownTraits(traits=self.traits, zone=None)

    async def open(
        self, case: str, run: RunReference, order: OpenCase, brief: str
    ) -> StaffCaseChanged:
        self.did.append(f"open {case}: {brief}")
        self.cases[case] = "open"
        return StaffCaseChanged(case=case, state="open", queue=order.queue)

    async def escalate(self, case: str, order: EscalateCase, at: datetime) -> StaffCaseChanged:
        return self._changed(case, "open", order.queue)

    async def close(self, case: str, order: CloseCase, at: datetime) -> StaffCaseChanged:
        return self._changed(case, "closed", "sales")

    def _changed(self, case: str, state: str, queue: str) -> StaffCaseChanged:
        if case not in self.cases:
            raise UnknownCaseError(f"there is no case {case!r}")
        self.did.append(f"{state} {case} {queue}")
        return StaffCaseChanged(case=case, state=state, queue=queue)

    def render(self, template: str, values: Mapping[str, JsonValue], now: datetime) -> str:
        if "broken" in template:
            raise MessageCannotRenderError(problem="unknown filter", remedy="Mend it.")
        customer = values["customer"]
        assert isinstance(customer, dict)
        return f"{template} {customer.get('tier')} {values.get('run')}"

    async def definition(self, version: str) -> bytes | None:
        return self.definitions.get(version)


@pytest.fixture
def memory() -> Memory:
    return Memory()


def cases(memory: Memory) -> StaffCases:
    return StaffCases(cases=memory, profiles=memory, briefs=memory, records=memory)


async def test_the_record_that_rides_along_is_written_first(memory: Memory) -> None:
    traits = TraitsOfCustomer(profiles=memory, records=memory)
    opening = OpenCase(n=2, queue="sales", brief="Help", decisions={})
    await cases(memory).open_case(OpenStaffCase(run=RUN, open=opening, record=RECORD))
    read, write = ReadTraits(n=4, names=("tier",)), SetTraits(n=5, traits={"tier": "gold"})
    await traits.read_traits(ReadCustomerTraits(run=RUN, read=read, record=RECORD))
    await traits.set_traits(SetCustomerTraits(run=RUN, set=write, record=RECORD))
    await RunJournal(records=memory).record_run(RecordRun(run=RUN, record=RECORD))

    assert [did.partition(" ")[0] for did in memory.did] == [
        *("record", "read", "open"),
        *("record", "read"),
        *("record", "change"),
        "record",
    ]


async def test_a_brief_names_the_customer_as_they_are_now(memory: Memory) -> None:
    memory.traits["tier"] = "gold"
    opening = OpenCase(
        n=2, queue="sales", brief="Help", decisions={}, values={"run": {"value": 80}}
    )

    changed = await cases(memory).open_case(OpenStaffCase(run=RUN, open=opening))

    assert changed.case == "case/journey/cart/anna:7:2"
    assert memory.did[-1] == "open case/journey/cart/anna:7:2: Help gold {'value': 80}"


async def test_a_broken_brief_never_keeps_a_customer_from_staff(memory: Memory) -> None:
    opening = OpenCase(n=2, queue="sales", brief="Stuck at {{ broken", decisions={})

    changed = await cases(memory).open_case(OpenStaffCase(run=RUN, open=opening))

    assert changed.state == "open"
    assert "Stuck at {{ broken" in memory.did[-1]
    assert "unknown filter" in memory.did[-1]


async def test_a_case_is_changed_by_the_number_of_the_effect_that_opened_it(memory: Memory) -> None:
    opening = OpenCase(n=2, queue="sales", brief="Help", decisions={})
    await cases(memory).open_case(OpenStaffCase(run=RUN, open=opening))

    step = EscalateCase(n=8, case=2, queue="leads", reason="late")
    await cases(memory).escalate_case(EscalateStaffCase(run=RUN, escalate=step))
    end = CloseCase(n=9, case=2, reason="paid")
    await cases(memory).close_case(CloseStaffCase(run=RUN, close=end))

    case = "case/journey/cart/anna:7:2"
    assert memory.did[-2:] == [f"open {case} leads", f"closed {case} sales"]


async def test_a_case_that_was_never_opened_fails_for_good(memory: Memory) -> None:
    end = CloseCase(n=9, case=2, reason="paid")

    with pytest.raises(ApplicationError, match="no case") as failure:
        await cases(memory).close_case(CloseStaffCase(run=RUN, close=end))

    assert (failure.value.type, failure.value.non_retryable) == ("UnknownCaseError", True)


async def test_a_refused_trait_fails_for_good_and_others_are_told(memory: Memory) -> None:
    traits = TraitsOfCustomer(profiles=memory, records=memory)
    wrong = SetTraits(n=4, traits={"zone": "Mars/Olympus"})

    with pytest.raises(ApplicationError) as failure:
        await traits.set_traits(SetCustomerTraits(run=RUN, set=wrong))
    assert (failure.value.type, failure.value.non_retryable) == ("TraitRefusedError", True)

    right = SetTraits(n=5, traits={"tier": "gold"})
    told = await traits.set_traits(SetCustomerTraits(run=RUN, set=right))
    assert told.traits == {"tier": "gold"}
    assert memory.did[-1] == "change c_1 traits/journey/cart/anna:7:5"


async def test_a_definition_is_looked_for_until_it_is_published_again(memory: Memory) -> None:
    published = read_definition(CART, "cart.yaml")
    admissions = Admissions(desks=memory, programs=(programs := Programs()))  # pyright: ignore[reportArgumentType] -- only definitions are asked for here
    order = FindDefinition(version=published.version)

    with pytest.raises(ApplicationError, match="publish its definition again") as failure:
        await admissions.find_definition(order)
    assert not failure.value.non_retryable

    memory.definitions[published.version] = published.canonical
    assert (await admissions.find_definition(order)).version == published.version
    assert programs.get(published.version) is not None
