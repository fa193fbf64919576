"""Calling a service outside, and keeping of its answer what the journey takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import structlog
from pydantic import JsonValue
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.run_record import RunRecords
from contracts.ids import effect_key
from contracts.names import CALL_SERVICE
from contracts.service_call import CALL_REFUSED, CallService, ServiceAnswered
from journey.responses import host_of, taken

_log = structlog.get_logger(__name__)


class CallRefusedError(Exception):
    """The call will never be answered as it is; the message says who refuses it and why."""


class ServiceBusyError(Exception):
    """The service asks to be called again later, `retry_after` from now if it says so."""

    def __init__(self, words: str, retry_after: timedelta | None = None) -> None:
        super().__init__(words)
        self.retry_after = retry_after


@dataclass(slots=True, frozen=True, kw_only=True)
class Response:
    """What a service answered: a status, and its JSON body or None."""

    status: int
    body: JsonValue = None


class ServiceCaller(Protocol):
    """Carries calls over HTTP."""

    async def call(
        self,
        key: str,
        method: str,
        url: str,
        query: Mapping[str, JsonValue],
        body: Mapping[str, JsonValue],
    ) -> Response:
        """Call; `key` tells the service a second try from a second call.

        Raises: `CallRefusedError`, `ServiceBusyError`, and anything that may pass.
        """
        ...


@dataclass(slots=True, frozen=True, kw_only=True)
class ServiceCalls:
    """Calls services. May run twice: the service sees the same id."""

    caller: ServiceCaller
    records: RunRecords

    @activity.defn(name=CALL_SERVICE)
    async def call_service(self, order: CallService) -> ServiceAnswered:
        """Call, and keep what is taken. Raises: non-retryable `CallRefusedError`."""
        run, call = order.run, order.call
        if order.record is not None:
            await self.records.write(run, order.record)
        key = effect_key(run.workflow_id, run.entry, call.n)
        try:
            said = await self.caller.call(key, call.method, call.url, call.query, call.body)
        except CallRefusedError as error:
            raise ApplicationError(str(error), type=CALL_REFUSED, non_retryable=True) from error
        except ServiceBusyError as error:
            raise ApplicationError(
                str(error), type="ServiceBusy", next_retry_delay=error.retry_after
            ) from error
        _log.info("call", key=key, host=host_of(call.url), status=said.status)
        return ServiceAnswered(result=taken(call.take, said.status, said.body))
