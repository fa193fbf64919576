"""Every name that crosses a process. A name here is for ever: tests/architecture pins it."""

WORKFLOW_TYPE = "customer_journey"
JOURNEYS_QUEUE = "journeys"

SIGNAL_TOUCHPOINT = "touchpoint"
SIGNAL_TOUCHPOINTS = "touchpoints"
SIGNAL_RESUME = "resume"
SIGNAL_ENGINE = "engine"
UPDATE_TOUCHPOINT_NOW = "touchpoint_now"
UPDATE_LEAVE = "leave"
UPDATE_MOVE = "move"
QUERY_STATUS = "status"
QUERY_EXPLAIN = "explain"

ADMIT = "admit"
MOVE_RUN = "move_run"
FIND_DEFINITION = "find_definition"
RECORD_RUN = "record_run"
RECORD_END = "record_end"
HAND_BACK = "hand_back"
DELIVER_MESSAGE = "deliver_message"
OPEN_CASE = "open_case"
ESCALATE_CASE = "escalate_case"
CLOSE_CASE = "close_case"
READ_TRAITS = "read_traits"
SET_TRAITS = "set_traits"
GRANT_OFFER = "grant_offer"
SETTLE_OFFER = "settle_offer"
CALL_SERVICE = "call_service"
START_RUN = "start_run"

CALLS_QUEUE = "calls"
"""The task queue of calls to services outside: a slow service holds back nobody but those who call."""


def delivery_queue(purpose: str) -> str:
    """The task queue of deliveries: service messages never wait behind marketing."""
    return f"deliveries-{purpose}"
