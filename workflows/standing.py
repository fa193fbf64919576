"""How a run stands, in words: for queries, and for who looks at it in the Temporal Web UI."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from contracts.names import SIGNAL_RESUME
from journey.effects import TraceEntry
from journey.program import Program
from journey.standing import needs_attention, next_alarm, waits_for
from journey.state import State


def standing(program: Program | None, state: State, now: datetime) -> dict[str, Any]:
    """Where it stands, what it waits for and when it wakes, as plain JSON."""
    alarm = next_alarm(state)
    return {
        "journey": program.journey if program else None,
        "version": program.version if program else None,
        "customer": state.customer or None,
        "key": state.key,
        "entry": state.entry,
        "stage": state.stage,
        "waits_for": list(waits_for(program, state, now)) if program else [],
        "wakes_at": alarm.isoformat() if alarm else None,
        "outcome": state.outcome,
        "goal": state.goal,
        "needs_attention": needs_attention(state),
        "applied": state.arrivals,
    }


def decisions_told(decisions: Iterable[TraceEntry]) -> list[dict[str, Any]]:
    """Decisions with their reasons, as plain JSON."""
    return [
        {
            "sequence": d.sequence,
            "at": d.at.isoformat(),
            "step": d.address,
            "kind": d.kind,
            "why": d.why,
        }
        for d in decisions
    ]


def story(program: Program, state: State, now: datetime, decisions: list[TraceEntry]) -> str:
    """The current details: what a person sees without decoding anything. Costs no event."""
    lines = [f"**{program.title}**", f"Stage: **{state.stage}**" if state.stage else ""]
    attention = needs_attention(state)
    if attention:
        lines.append(f"**Stopped**: {attention}. Mend it, then send the signal `{SIGNAL_RESUME}`.")
    lines += [f"- waits for {words}" for words in waits_for(program, state, now)]
    lines += [f"- {entry.at:%Y-%m-%d %H:%M} {entry.why}" for entry in decisions[-8:]]
    return "\n".join(line for line in lines if line)
