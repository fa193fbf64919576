"""The page's part about the gates: which hold, by how much the others are missed, and why."""

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.side_by_side.words import number

_BYTES = "search attributes, two markers, and what deliveries are told of the run: decision 0031 takes them apart"
WHY = {
    "P1": "the admission and the end are markers of local activities",
    "P1 Dittofeed": "the aim was a third; by hand it is more than a quarter",
    "P2": _BYTES,
    "P2 Dittofeed": _BYTES,
    "P4": "ledger, policy and the record of what happened are rows of our own, which by hand there are none of: of the "
    "log 22 kB a cart, and 10 kB for states of runs that are larger; decision 0031 takes them apart",
    "P6": "a journey is read from its definition, and policy and ledger run in a worker too",
    "P6 unsandboxed": "the same, beside nothing but waits and sends",
    "P7 p50": "by hand one signal and one activity; here API, router, journey, policy and ledger, each durable",
    "P7 p50 busy": "the same chain, and five processes on two cores",
    "P7 p99": "five processes share two cores",
    "P8": "the processors of one small machine: workers, API, router, server and database share them",
    "P9": "an acknowledgement is a commit, and a touchpoint is put on record, found an owner and routed",
    "P9 p99": "the router and the workers take processor time from the API on two cores",
    "P7 p99 by hand": "the same as of P7 p50: more processes in turn, each durable, on two cores",
    "P10": "a whole Python with the SDK in it, and up to 300 runs that it remembers",
    "P10 flat": "a worker remembers up to 300 runs, and grows until it does; beyond that it is flat",
    "P11": "25.7 kB of it are the server's own rows, as by hand with 1,000 open runs; a run's record, touchpoints "
    "and place in routing are the rest",
    "P11 flat": "tables grow by whole pages, and by what autovacuum has not come to: few runs make a coarse measure",
    "P12": "the server moves its own tasks on after so many runs began; see the row of `bare` beside it",
    "P15": "what was forgotten is replayed from its history by the machine, in Python",
    "P16": "Python itself: about 55 calls a happening (benchmarks/README.md)",
    "P14": "each message passes policy and ledger, which by hand it does not",
}
"""What is known of each gate that we miss or have missed; docs/decisions/0019 and 0031 have the account."""
UNKNOWN = "not looked into yet"


def gates_in_words(gates: Mapping[str, Any]) -> Iterator[str]:
    """The table, what is missed first said in one line."""
    lost = [name for name, gate in gates.items() if not gate["met"]]
    yield "## Gates"
    yield ""
    yield f"Met: {len(gates) - len(lost)} of {len(gates)}." + (
        f" Where we lose: {', '.join(lost)}; docs/decisions/0019 and 0031 say what was tried."
        if lost
        else ""
    )
    yield ""
    yield "| | value | gate | met | why not |"
    yield "| --- | --- | --- | --- | --- |"
    for name, gate in gates.items():
        met, why = (
            ("yes", "") if gate["met"] else (f"**no**, {missed_by(gate)}", WHY.get(name, UNKNOWN))
        )
        told = [number(gate["value"]), number(gate["gate"]), met, why]
        yield f"| {name}: {gate['words']} | {' | '.join(told)} |"


def missed_by(gate: Mapping[str, Any]) -> str:
    """How far a value lies on the wrong side of its gate: a share of the gate, or the difference to a gate of 0."""
    if not gate["gate"]:
        return f"by {number(gate['value'])}"
    return f"by {abs(gate['value'] / gate['gate'] - 1):.0%}"
